// What the trainable part reads of each text: computed once for every distinct text, the same bits as one by one.

import GPT2Kit
import TestSupport
import Testing
import Tokenization

struct FeaturesTests {
    private let place: Folder
    private let base: Classifier

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
        base = try randomClassifier(place.path)
    }

    /// A set of texts that are given as tokens.
    private func set(_ texts: [[Int32]], length: Int = 6) -> TokenizedTexts {
        var rows = TokenRows()
        for (line, text) in texts.enumerated() { rows.append(text, label: 0, line: Int64(line + 1)) }
        let description = TokenSetDescription(
            paddedLength: length, padToken: base.padToken, labelNames: base.labels,
            tokenizerSHA256: base.tokenizerSHA256)
        return TokenizedTexts(description: description, rows: rows, truncated: 0)
    }

    @Test("texts that are equal within a set or across sets are one text")
    func equalTexts() {
        let sets = [set([[1, 2], [3], [1, 2], [1]]), set([[3], [4], [4]]), set([[4], [1, 2]])]
        let texts = DistinctTexts(sets, .lastToken, isCausal: true)
        #expect(texts.textOfRow == [[0, 1, 0, 2], [1, 3, 3], [3, 0]])
        #expect(texts.newTexts == [0..<3, 3..<4, 4..<4])
        #expect((0..<texts.count).map { Array(texts[$0]) } == [[1, 2], [3], [1], [4]])
        #expect(texts.layout.tokens == 5 && texts.tokens == [1, 2, 3, 1, 4])
    }

    @Test("texts are equal where their computed positions are")
    func equalPositions() {
        let sets = [set([[1, 2], [1, 3]], length: 3), set([[1, 2]], length: 4)]
        #expect(DistinctTexts(sets, .first, isCausal: true).textOfRow == [[0, 0], [0]])
        #expect(DistinctTexts(sets, .lastToken, isCausal: true).textOfRow == [[0, 1], [0]])
        let padded = DistinctTexts(sets, .lastPosition, isCausal: true)
        #expect(padded.textOfRow == [[0, 1], [2]], "padded to 3 and to 4 tokens")
        #expect(Array(padded[2]) == [1, 2, base.padToken, base.padToken])
    }

    /// The features, in memory.
    private func fill(_ features: [FeatureSet], _ texts: DistinctTexts, _ extractor: FeatureExtractor) throws {
        let tuner = FineTuner(settings: TrainingSettings(), workers: extractor.workers)
        _ = try tuner.prepare(features, texts, extractor, report: { _ in }, progress: { _ in })
    }

    @Test("every row gets the bits that its text alone gives", arguments: [TrainableSet.head, .lastBlocks(1)])
    func sameBits(_ trainable: TrainableSet) throws {
        for pooling in Pooling.allCases {
            var sets = [1, 2].map { randomTexts(40, for: base, seed: $0, length: 3).texts }
            sets.append(sets[0])
            let workers = Workers(count: 2)
            func extractor() throws -> FeatureExtractor {
                try FeatureExtractor(
                    base.parameters, config: base.config, pooling: pooling, trainable: trainable, workers: workers)
            }
            func states(_ extractor: FeatureExtractor, _ rows: [Int], _ features: FeatureSet) throws -> [UInt32] {
                let count =
                    (trainable == .head ? rows.count : features.batch(rows).layout.tokens) * base.config.width
                let buffer = try FloatBuffer(count: count)
                try extractor.gather(FloatView(buffer.pointer), rows, of: features)
                return bits(buffer.values)
            }
            let texts = DistinctTexts(sets, pooling, isCausal: true)
            let features = FeatureSet.of(sets, texts)
            let shared = try extractor()
            try fill(features, texts, shared)
            for (set, features) in zip(sets, features) {
                let rows = [7, 3, 3, 39, 0]
                let got = try states(shared, rows, features)
                var expected: [UInt32] = []
                for row in rows {
                    var single = TokenRows()
                    single.append(set.rows[row], label: 0, line: 1)
                    let alone = [TokenizedTexts(description: set.description, rows: single, truncated: 0)]
                    let aloneTexts = DistinctTexts(alone, pooling, isCausal: true)
                    let aloneFeatures = FeatureSet.of(alone, aloneTexts)
                    let fresh = try extractor()
                    try fill(aloneFeatures, aloneTexts, fresh)
                    expected += try states(fresh, [0], aloneFeatures[0])
                }
                #expect(got == expected, "\(pooling)")
            }
        }
    }
}
