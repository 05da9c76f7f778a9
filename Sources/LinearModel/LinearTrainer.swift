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
        /// Parts that the texts were cut into: as many as were asked for, and no more than texts.
        public let folds: Int
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
        var generator = SeededGenerator(seed: seed)
        let order = generator.permutation(counts.count)
        var parts: [Set<Int>] = [[]]
        let folds = min(folds, order.count)
        for fold in 0..<folds {
            let held = Set(stride(from: fold, to: order.count, by: folds).map { order[$0] })
            let rest = Set(data.classes.indices.filter { !held.contains($0) }.map { data.classes[$0] })
            if !held.isEmpty, rest.count == data.labels.count { parts.append(held) }
        }
        let trained = inParallel(parts.count) { [parts] part in
            machines(data, counts, vocabulary, without: parts[part])
        }
        func classifier(_ machines: Machines, _ temperature: Double) -> LinearClassifier {
            LinearClassifier(
                labels: data.labels, vocabulary: vocabulary, rarity: machines.rarity, weights: machines.weights,
                temperature: temperature)
        }
        var margins: [[Double]] = []
        var expected: [Int] = []
        for (held, machines) in zip(parts, trained).dropFirst() {
            let part = classifier(machines, 1)
            for text in held.sorted() {
                margins.append(
                    part.margins(counts[text].weighted(by: machines.rarity, words: vocabulary.words)))
                expected.append(data.classes[text])
            }
        }
        guard !margins.isEmpty else {
            return Result(classifier: classifier(trained[0], 0.5), folds: folds, accuracy: nil, loss: nil)
        }
        let temperature = Temperature.fit(
            margins, expected, offsets: [Double](repeating: 0, count: data.labels.count),
            // One mistake more than there was.
            smoothing: 1 / Double(margins.count + 1)
        ).value
        let measured = measure(margins, expected, temperature)
        return Result(
            classifier: classifier(trained[0], temperature), folds: folds, accuracy: measured.accuracy,
            loss: measured.loss)
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

    private func measure(
        _ margins: [[Double]], _ expected: [Int], _ temperature: Double
    ) -> (accuracy: Double, loss: Double) {
        var (hits, loss) = (0, 0.0)
        for (row, label) in zip(margins, expected) {
            let highest = row.max() ?? 0
            if row.firstIndex(of: highest) == label { hits += 1 }
            loss += log(row.reduce(0) { $0 + exp(($1 - highest) / temperature) }) - (row[label] - highest) / temperature
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
