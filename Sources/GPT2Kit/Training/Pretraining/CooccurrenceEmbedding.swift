// Token embeddings before the first step of training: tokens with similar neighbours get similar vectors. The counts of a corpus,
// as positive pointwise mutual information with smoothed contexts, are factorized by a truncated singular value decomposition
// (Levy, Goldberg & Dagan 2015, "Improving distributional similarity with lessons learned from word embeddings",
// https://doi.org/10.1162/tacl_a_00134). It takes two passes over the corpus, where gradients take many.

import Platform
import Records
import Tokenization

/// How often tokens stand near each other in a corpus.
///
/// Memory: 4 bytes × tokens of the vocabulary × contexts.
package struct CooccurrenceEmbedding {
    /// The most tokens between which a pair counts. A pair at distance k counts 1/k.
    package static let window = 10
    /// The most frequent tokens, at most so many, are the contexts of all others.
    package static let mostContexts = 8192
    /// The exponent that makes rare contexts likelier, so that their information is smaller.
    private static let smoothing = 0.75
    /// The root mean square of the numbers of a token: what it is in trained models of some million parameters.
    package static let rootMeanSquare: Float = 0.12

    /// Bytes of the counts for a model of `config`, and of what their decomposition needs.
    package static func bytes(_ config: GPT2Config) -> Double {
        let (V, contexts) = (Double(config.vocabularySize), Double(min(config.vocabularySize, mostContexts)))
        return 4 * (V * contexts + 2 * (V + contexts) * Double(config.width))
    }

    /// Weighted counts [V,contexts]. Those beyond 2²⁰ are coarse: a logarithm is taken of them.
    private let counts: Tensor
    private let vocabularySize: Int

    /// Counts the pairs of tokens within the documents of a corpus, which end with `<|endoftext|>`.
    ///
    /// - Parameter report: is told now and then how many rows are done. What it throws ends the count.
    /// - Throws: ``OutOfMemory``; `ShardError` where the file has been changed; what `report` throws.
    package init(
        _ corpus: TokenCorpus, vocabularySize V: Int, endOfText: Int32,
        report: (_ rows: Int) throws -> Void = { _ in }
    ) throws {
        vocabularySize = V
        var frequency = [Int](repeating: 0, count: V)
        var row: [Int32] = []
        func read(_ index: Int) throws(ShardError) {
            row.removeAll(keepingCapacity: true)
            try corpus.append(index, to: &row)
        }
        for index in 0..<corpus.count {
            try read(index)
            for token in row where token != endOfText { frequency[Int(token)] += 1 }
        }
        // Equally frequent tokens in their own order.
        let contexts = frequency.indices.filter { frequency[$0] > 0 }
            .sorted { (-frequency[$0], $0) < (-frequency[$1], $1) }.prefix(Self.mostContexts)
        var context = [Int32](repeating: -1, count: V)
        for (index, token) in contexts.enumerated() { context[token] = Int32(index) }
        let columns = max(1, contexts.count)
        counts = try Tensor(shape: [V, columns])
        let weights = (1...Self.window).map { 1 / Float($0) }
        for index in 0..<corpus.count {
            if index % 4096 == 0 { try report(index) }
            try read(index)
            for document in row.split(separator: endOfText) {
                count(document, context, weights, columns)
            }
        }
        try report(corpus.count)
    }

    private func count(_ document: ArraySlice<Int32>, _ context: [Int32], _ weights: [Float], _ columns: Int) {
        let counts = counts.mutablePointer
        for (i, first) in zip(document.indices, document) {
            let left = Int(context[Int(first)])
            for distance in 1...Self.window where i + distance < document.endIndex {
                let second = document[i + distance]
                let right = Int(context[Int(second)])
                if right >= 0 { counts[Int(first) * columns + right] += weights[distance - 1] }
                if left >= 0 { counts[Int(second) * columns + left] += weights[distance - 1] }
            }
        }
    }

    /// max(0, log(n(w,c) · Σc n(c)^¾ / (n(w) · n(c)^¾))) [V,contexts], instead of the counts.
    package consuming func positivePMI(_ workers: Workers) -> Tensor {
        let columns = counts.shape[1]
        var ofRow = [Double](repeating: 0, count: vocabularySize)
        var ofColumn = [Double](repeating: 0, count: columns)
        for row in 0..<vocabularySize {
            for column in 0..<columns {
                let count = Double(counts.pointer[row * columns + column])
                ofRow[row] += count
                ofColumn[column] += count
            }
        }
        let smoothed = ofColumn.map { pow($0, Self.smoothing) }
        let sum = smoothed.reduce(0, +)
        let offsets = smoothed.map { $0 > 0 ? log(sum / $0) : 0 }
        let (counts, sums) = (counts, ofRow)
        workers.forEachRange(vocabularySize, by: 64) { rows in
            for row in rows where sums[row] > 0 {
                let numbers = counts.mutablePointer + row * columns
                let offset = -log(sums[row])
                for column in 0..<columns where numbers[column] > 0 {
                    numbers[column] = Float(max(0, log(Double(numbers[column])) + offset + offsets[column]))
                }
            }
        }
        return counts
    }

    /// U·√σ of the positive PMI, every row scaled to ``rootMeanSquare``, into `embedding` [V,C]. Tokens without any
    /// keep what they have there.
    package consuming func write(to embedding: Tensor, seed: UInt64, workers: Workers) throws(OutOfMemory) {
        precondition(embedding.shape[0] == vocabularySize, "an embedding of another vocabulary")
        let pmi = positivePMI(workers)
        let C = embedding.shape[1]
        let rank = min(C, pmi.shape[1])
        let svd = try TruncatedSVD(of: pmi, rank: rank, seed: seed, workers: workers)
        let roots = svd.values.map { $0.squareRoot() }
        for token in 0..<embedding.shape[0] {
            let vector = (0..<rank).map { svd.left.pointer[token * rank + $0] * roots[$0] }
            let square = vector.reduce(0) { $0 + $1 * $1 }
            guard square > 0 else { continue }
            let scale = Self.rootMeanSquare * Float(C).squareRoot() / square.squareRoot()
            let row = embedding.mutablePointer + token * C
            for (column, number) in vector.enumerated() { row[column] = number * scale }
            for column in rank..<max(C, rank) { row[column] = 0 }
        }
        withExtendedLifetime(svd) {}
    }
}
