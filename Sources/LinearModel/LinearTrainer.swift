// Trains a linear classifier: on all texts, and for the temperature once without each of several parts.

import Dispatch
import Evaluation
import Platform
import Records

/// How a linear classifier is trained.
public struct LinearTrainer: Sendable {
    /// C: the larger, the closer the training texts are followed.
    public var cost = 1.0
    /// Whether every class counts alike, however many texts it has.
    public var balancesClasses = false
    /// Parts of the training texts, each of which is scored by a classifier that was trained on the others.
    public var folds = 5
    /// The seed of the parts, and of the order in which texts are visited.
    public var seed: UInt64 = 123
    /// Trainings at a time; the result doesn't depend on it.
    public var threads = 1

    /// The default settings.
    public init() {}

    /// A classifier, and how well one like it does on texts that it wasn't trained on.
    public struct Result: Sendable {
        /// The classifier of all texts.
        public let classifier: LinearClassifier
        /// Parts that the texts were cut into: as many as were asked for, and no more than there are different texts.
        public let folds: Int
        /// The probabilities of every text by a classifier that was trained without its part; nil for the texts of a part without
        /// which some class has no texts.
        public let outOfFold: [[Double]?]
        /// The accuracy on the parts that were left out; nil where no part could be.
        public let accuracy: Double?
        /// The mean of −log p of the right label there, in nats.
        public let loss: Double?
    }

    /// Features of a part, and the machines that were trained on it.
    private struct Machines: Sendable {
        var rarity: [Float] = []
        var weights: [Float] = []
    }

    /// Fails where not every text can be scored by a classifier that was trained without its part.
    ///
    /// - Throws: ``LinearTrainingError/confinedClass(source:label:)``.
    public func requireOutOfFold(_ data: LinearTrainingTexts) throws(LinearTrainingError) {
        if let label = parts(of: data).confinedClass {
            throw .confinedClass(source: data.source, label: data.labels[label])
        }
    }

    /// Trains on `data`.
    ///
    /// - Throws: `OutOfMemory` where the weights of all folds can't fit.
    public func train(_ data: LinearTrainingTexts) throws(OutOfMemory) -> Result {
        let vocabulary = Vocabulary(of: data.texts)
        let numbers = Double(vocabulary.hashes.count + 1) * Double(LinearClassifier.machines(data.labels.count))
        let bytes = 4 * numbers * Double(min(folds, data.texts.count) + 1)
        if bytes > Double(MemoryBudget().left) { throw OutOfMemory(bytes: Int(min(bytes, 1e18))) }
        let scratch = CountingScratch()
        let counts = data.texts.map { vocabulary.counts($0[...], scratch) }
        let parts = parts(of: data)
        let trained = inParallel(1 + parts.held.count) { part in
            machines(data, counts, vocabulary, without: part == 0 ? [] : Set(parts.held[part - 1]))
        }
        func classifier(_ machines: Machines, _ temperature: Double) -> LinearClassifier {
            LinearClassifier(
                labels: data.labels, vocabulary: vocabulary, rarity: machines.rarity, weights: machines.weights,
                temperature: temperature)
        }
        var margins = [[Double]?](repeating: nil, count: counts.count)
        for (held, machines) in zip(parts.held, trained.dropFirst()) {
            let part = classifier(machines, 1)
            for text in held {
                margins[text] = part.margins(counts[text].weighted(by: machines.rarity, words: vocabulary.words))
            }
        }
        let known = margins.compactMap { $0 }
        guard !known.isEmpty else {
            return Result(
                classifier: classifier(trained[0], 0.5), folds: parts.count, outOfFold: margins, accuracy: nil,
                loss: nil)
        }
        let expected = zip(margins, data.classes).compactMap { $0 == nil ? nil : $1 }
        let temperature = Temperature.fit(
            known, expected, offsets: [Double](repeating: 0, count: data.labels.count),
            // One mistake more than there was.
            smoothing: 1 / Double(known.count + 1)
        ).value
        let probabilities = margins.map { row in
            row.map { LogProbabilities.probabilities($0.map { $0 / temperature }) }
        }
        let measured = measure(probabilities.compactMap { $0 }, expected)
        return Result(
            classifier: classifier(trained[0], temperature), folds: parts.count, outOfFold: probabilities,
            accuracy: measured.accuracy, loss: measured.loss)
    }

    /// The parts of a cross-validation: how many there are, the texts of those without which every class has texts, and a class
    /// that has texts in one of the others alone.
    private func parts(of data: LinearTrainingTexts) -> (count: Int, held: [[Int]], confinedClass: Int?) {
        var numbers: [[UInt8]: Int] = [:]
        let texts = data.texts.map { text in
            let number = numbers[text] ?? numbers.count
            numbers[text] = number
            return number
        }
        let count = min(folds, numbers.count)
        let folds = Folds.assign(labels: data.classes, texts: texts, count: count, seed: seed)
        var held = [[Int]](repeating: [], count: count)
        for (text, fold) in folds.enumerated() { held[fold].append(text) }
        var foldsOfClass = [Set<Int>](repeating: [], count: data.labels.count)
        for (text, label) in data.classes.enumerated() { foldsOfClass[label].insert(folds[text]) }
        let confined = foldsOfClass.indices.filter { foldsOfClass[$0].count == 1 }
        let kept = Set(confined.flatMap { foldsOfClass[$0] })
        return (count, held.indices.filter { !kept.contains($0) }.map { held[$0] }, confined.first)
    }

    /// Machines for all classes, of the texts that aren't `held`.
    private func machines(
        _ data: LinearTrainingTexts, _ counts: [SparseText], _ vocabulary: Vocabulary, without held: Set<Int>
    ) -> Machines {
        let rest = counts.indices.filter { !held.contains($0) }
        let classes = rest.map { data.classes[$0] }
        var result = Machines()
        result.rarity = vocabulary.rarity(in: rest.map { counts[$0] })
        let texts = rest.map { counts[$0].weighted(by: result.rarity, words: vocabulary.words) }
        let K = data.labels.count
        var sizes = [Double](repeating: 0, count: K)
        for label in classes { sizes[label] += 1 }
        let shares = sizes.map { balancesClasses ? Double(classes.count) / (Double(K) * $0) : 1 }
        let (features, machines) = (vocabulary.hashes.count, LinearClassifier.machines(K))
        result.weights = [Float](repeating: 0, count: (features + 1) * machines)
        for machine in 0..<machines {
            let label = K == 2 ? 1 : machine
            // As LIBLINEAR has it: of more than two classes, a machine weighs its own alone.
            let weights = SupportVectors.weights(
                texts, isPositive: classes.map { $0 == label },
                weights: classes.map { K == 2 || $0 == label ? shares[$0] : 1 }, features: features, cost: cost,
                seed: seed)
            for (feature, weight) in weights.enumerated() { result.weights[feature * machines + machine] = weight }
        }
        return result
    }

    private func measure(_ probabilities: [[Double]], _ expected: [Int]) -> (accuracy: Double, loss: Double) {
        var (hits, loss) = (0, 0.0)
        for (row, label) in zip(probabilities, expected) {
            if LogProbabilities.likeliest(row) == label { hits += 1 }
            loss -= log(max(row[label], .leastNormalMagnitude))
        }
        return (Double(hits) / Double(expected.count), loss / Double(expected.count))
    }

    /// What `work` gives for 0 ..< count, at most ``threads`` of them at a time.
    private func inParallel<Value: Sendable>(_ count: Int, _ work: @Sendable (Int) -> Value) -> [Value] {
        var results = [Value?](repeating: nil, count: count)
        results.withUnsafeMutableBufferPointer { results in
            nonisolated(unsafe) let results = results  // each place is written once
            let threads = max(1, min(threads, count))
            DispatchQueue.concurrentPerform(iterations: threads) { thread in
                for place in stride(from: thread, to: count, by: threads) { results[place] = work(place) }
            }
        }
        return results.compactMap { $0 }
    }
}
