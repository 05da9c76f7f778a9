// Philox against the test vectors of its authors, dropout against masks made with numpy
// (Tests/Fixtures/make_training_options.py), exactly.

import GPT2Kit
import Testing

struct DropoutTests {
    /// Random123's kat_vectors, philox4x32 with 10 rounds.
    @Test(
        "Philox gives its authors' numbers",
        arguments: [
            (
                SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
                SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
            ),
            (
                SIMD4(repeating: UInt32.max), SIMD2(repeating: UInt32.max),
                SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
            ),
            (
                SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2(0xa409_3822, 0x299f_31d0),
                SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
            ),
        ])
    func philox(_ counter: SIMD4<UInt32>, _ key: SIMD2<UInt32>, _ expected: SIMD4<UInt32>) {
        #expect(Philox.words(counter, key: key) == expected)
    }

    private func mask(_ dropout: Dropout, _ range: Range<Int>, text: Int, block: Int, _ place: Dropout.Place) -> [Float]
    {
        var numbers = [Float](repeating: 1, count: range.count)
        dropout.drop(&numbers, count: range.count, from: range.lowerBound, text: text, block: block, place)
        return numbers
    }

    @Test(
        "masks are those of the reference, from any index on",
        arguments: zip(
            ["embeddings", "attention-weights", "attention", "feed-forward"],
            [Dropout.Place.embeddings, .attentionWeights, .attention, .mlp]))
    func referenceMasks(_ name: String, _ place: Dropout.Place) throws {
        let expected = try Reference.training().floats("dropout.\(name)", shape: [40])
        let dropout = Dropout(probability: 0.25, seed: 123, step: 7, rows: [9, 5])
        for first in 0..<9 {
            for last in [first, first + 1, 13, 40] where last >= first {
                #expect(
                    mask(dropout, first..<last, text: 1, block: 1, place) == Array(expected[first..<last]),
                    "\(first)..<\(last)")
            }
        }
    }

    @Test("the dropped share is p, and the mean stays", arguments: [0.01, 0.25, 0.9])
    func droppedShare(_ p: Double) {
        let dropout = Dropout(probability: p, seed: 1, step: 0, rows: [0])
        let n = 100_000
        let numbers = mask(dropout, 0..<n, text: 0, block: 0, .attention)
        let dropped = Double(numbers.count { $0 == 0 }) / Double(n)
        // Five standard errors.
        #expect(abs(dropped - p) < 5 * (p * (1 - p) / Double(n)).squareRoot(), "\(dropped)")
        #expect(numbers.allSatisfy { $0 == 0 || $0 == Float(1 / (1 - p)) })
    }

    @Test("seed, step, row, block and place each give another mask")
    func distinctMasks() {
        let dropout = { (seed: UInt64, step: Int, row: Int) in
            Dropout(probability: 0.5, seed: seed, step: step, rows: [row])
        }
        let masks = [
            mask(dropout(1, 2, 3), 0..<64, text: 0, block: 0, .attention),
            mask(dropout(1 << 40, 2, 3), 0..<64, text: 0, block: 0, .attention),
            mask(dropout(2, 2, 3), 0..<64, text: 0, block: 0, .attention),
            mask(dropout(1, 3, 3), 0..<64, text: 0, block: 0, .attention),
            mask(dropout(1, 2, 4), 0..<64, text: 0, block: 0, .attention),
            mask(dropout(1, 2, 3), 0..<64, text: 0, block: 1, .attention),
            mask(dropout(1, 2, 3), 0..<64, text: 0, block: 0, .mlp),
            mask(dropout(1, 2, 3), 64..<128, text: 0, block: 0, .attention),
        ]
        #expect(Set(masks.map(bits)).count == masks.count)
        #expect(masks[0] == mask(dropout(1, 2, 3), 0..<64, text: 0, block: 0, .attention))
    }
}
