// How texts are spread over chunks.

import GPT2Kit
import Records
import Testing

struct ChunkPlanTests {
    private func sizes(_ plan: ChunkPlan, _ lengths: [Int]) -> [Int] {
        plan.chunks.map { chunk in plan.order[chunk].reduce(0) { $0 + lengths[$1] } }
    }

    @Test("every text is in one chunk, and only a longer text makes a chunk too large", arguments: 1...40)
    func completeness(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let count = Int.random(in: 0...300, using: &generator)
        let longest = [3, 40, 600][seed % 3]
        let lengths = (0..<count).map { _ in Int.random(in: 1...longest, using: &generator) }
        let plan = ChunkPlan(lengths: lengths, tokens: 528, tile: 48, workers: 1 + seed % 4)
        #expect(plan.order.sorted() == Array(lengths.indices))
        #expect(plan.chunks.flatMap { Array($0) } == Array(plan.order.indices))
        for (chunk, size) in zip(plan.chunks, sizes(plan, lengths)) {
            #expect(size <= 528 || chunk.count == 1, "seed \(seed): \(size) tokens in \(chunk.count) texts")
        }
    }

    @Test("messages of usual lengths fill whole tiles, the same number for every worker", arguments: [1, 2, 3, 8])
    func evenTiles(_ workers: Int) {
        var generator = SeededGenerator(seed: 9)
        let lengths = (0..<1024).map { _ in
            Int.random(in: 3...25, using: &generator) + Int.random(in: 0...25, using: &generator)
        }
        let plan = ChunkPlan(lengths: lengths, tokens: 528, tile: 48, workers: workers)
        let sizes = sizes(plan, lengths)
        let tokens = lengths.reduce(0, +)
        let tiles = sizes.map { ($0 + 47) / 48 }
        // Less than one row in a hundred is left over, and no worker has more than a tile more than another.
        #expect(tiles.reduce(0, +) * 48 * 99 <= tokens * 100)
        #expect(plan.chunks.count % workers == 0)
        #expect((tiles.max() ?? 0) - (tiles.min() ?? 0) <= 1)
    }

    @Test("a few tokens are spread over the workers too")
    func fewTokens() {
        #expect(ChunkPlan(lengths: [5], tokens: 528, tile: 48, workers: 2).chunks == [0..<1])
        let plan = ChunkPlan(lengths: [60, 50, 40, 30], tokens: 528, tile: 48, workers: 2)
        #expect(plan.chunks.count == 2)
        #expect(ChunkPlan(lengths: [], tokens: 528, tile: 48, workers: 2).chunks.isEmpty)
    }
}
