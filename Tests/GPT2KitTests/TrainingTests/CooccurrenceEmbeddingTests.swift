// Token embeddings from co-occurrence against numpy (Tests/Fixtures/make_cooccurrence.py), and the decomposition behind them.

import Foundation
import GPT2Kit
import Records
import TestSupport
import Testing

struct CooccurrenceEmbeddingTests {
    private let corpus: RandomCorpus
    private let reference: JSONValue
    /// The tokens of the reference.
    private let tokens = 97..<121

    init() throws {
        corpus = try RandomCorpus()
        reference = try JSONValue(parsing: Array(Data(contentsOf: URL(filePath: fixture("cooccurrence.json")))))
    }

    private func numbers(_ key: String) throws -> [Double] {
        try #require(reference[key]?.array).map { try #require($0.double) }
    }

    private func counts() throws -> CooccurrenceEmbedding {
        let rows = try #require(reference["rows"]?.array).map { row in
            try #require(row.array).map { Int32(try #require($0.double)) }
        }
        return try CooccurrenceEmbedding(
            corpus.corpus(rows), vocabularySize: 257, endOfText: corpus.tokenizer.endOfText)
    }

    @Test("mutual information matches numpy's within 1e-5, singular values within 1e-5 of the largest")
    func mutualInformation() throws {
        let pmi = try counts().positivePMI(Workers(count: 2))
        let columns = pmi.shape[1]
        let got = pmi.array[tokens.lowerBound * columns..<tokens.upperBound * columns].map(Double.init)
        let expected = try numbers("positive_pmi")
        #expect(got.count == expected.count && expected.contains { $0 > 1 })
        for (x, y) in zip(got, expected) { #expect(abs(x - y) < 1e-5) }
        // Everything else stands nowhere.
        #expect(pmi.array[..<(tokens.lowerBound * columns)].allSatisfy { $0 == 0 })

        let values = try numbers("singular_values")
        let svd = try TruncatedSVD(of: pmi, rank: values.count, seed: 1, workers: Workers(count: 2))
        for (x, y) in zip(svd.values, values) { #expect(abs(Double(x) - y) < 1e-5 * values[0]) }
    }

    @Test("scalar products of the embeddings match numpy's within 1e-4; tokens that stand alone keep their own")
    func embeddings() throws {
        let expected = try numbers("scalar_products")
        let isSeen = try #require(reference["seen"]?.array).map { $0 == .bool(true) }
        #expect(isSeen.contains(false) && isSeen.contains(true))
        for threads in 1...3 {
            let embedding = try Tensor(shape: [257, 16])
            embedding.mutableValues.update(repeating: 7)
            try counts().write(to: embedding, seed: 5, workers: Workers(count: threads))
            let rows = (0..<257).map { Array(embedding.array[$0 * 16..<($0 + 1) * 16]) }
            for (i, a) in tokens.enumerated() {
                guard isSeen[i] else {
                    #expect(rows[a] == Array(repeating: 7, count: 16))
                    continue
                }
                for (j, b) in tokens.enumerated() where isSeen[j] {
                    let product = zip(rows[a], rows[b]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                    #expect(abs(product - expected[i * tokens.count + j]) < 1e-4)
                }
            }
            #expect(rows[..<tokens.lowerBound].allSatisfy { $0 == Array(repeating: 7, count: 16) })
        }
    }

    /// Column `index` of the orthonormal discrete cosine transform of `size` numbers.
    private func cosines(_ index: Int, _ size: Int) -> [Double] {
        (0..<size).map {
            cos(.pi * (Double($0) + 0.5) * Double(index) / Double(size)) * (index == 0 ? 1 : 2.squareRoot())
                / Double(size).squareRoot()
        }
    }

    @Test(
        "a matrix that is put together from singular vectors comes apart into them, the same on any number of threads")
    func decomposition() throws {
        let (m, n) = (300, 170)
        let values = (0..<60).map { 10 * pow(0.9, Double($0)) }
        let (left, right) = (values.indices.map { cosines($0, m) }, values.indices.map { cosines($0, n) })
        let matrix = try Tensor(shape: [m, n])
        for row in 0..<m {
            for column in 0..<n {
                matrix.mutablePointer[row * n + column] = Float(
                    values.indices.reduce(0.0) { $0 + values[$1] * left[$1][row] * right[$1][column] })
            }
        }
        let svd = try TruncatedSVD(of: matrix, rank: 12, seed: 3, workers: Workers(count: 1))
        for (x, y) in zip(svd.values, values) { #expect(abs(Double(x) - y) < 1e-3) }
        for k in 0..<12 {
            let column = (0..<m).map { Double(svd.left.pointer[$0 * 12 + k]) }
            let product = zip(column, left[k]).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(abs(abs(product) - 1) < 1e-3, "singular vector \(k)")
        }
        let other = try TruncatedSVD(of: matrix, rank: 12, seed: 3, workers: Workers(count: 3))
        #expect(other.values == svd.values && other.left.array == svd.left.array)
    }

    @Test("a matrix of a lower rank has singular values of zero")
    func lowerRank() throws {
        let matrix = try Tensor(shape: [40, 30])
        for row in 0..<40 {
            for column in 0..<30 { matrix.mutablePointer[row * 30 + column] = Float((row % 2) * (column % 3)) }
        }
        let svd = try TruncatedSVD(of: matrix, rank: 4, seed: 3, workers: Workers(count: 2))
        // Rows of [0 1 2 …], twenty of them, ten times 0² + 1² + 2².
        #expect(abs(svd.values[0] - Float(1000).squareRoot()) < 1e-3)
        #expect(svd.values[1...].allSatisfy { $0 < 1e-2 } && svd.left.array.allSatisfy { $0.isFinite })
    }
}
