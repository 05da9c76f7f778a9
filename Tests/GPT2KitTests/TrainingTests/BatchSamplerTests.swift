import GPT2Kit
import Testing

struct BatchSamplerTests {
    @Test("every row is drawn at most once per epoch, and an incomplete batch is dropped")
    func epochs() {
        var sampler = BatchSampler(rows: 37, batch: 8, shuffle: .seeded, seed: 1)
        #expect(sampler.stepsPerEpoch == 4)
        var orders: Set<[Int]> = []
        for _ in 0..<5 {
            let batches = sampler.epoch()
            #expect(batches.map(\.count) == [8, 8, 8, 8])
            let rows = batches.flatMap { $0 }
            #expect(Set(rows).count == 32 && rows.allSatisfy((0..<37).contains))
            orders.insert(rows)
        }
        #expect(orders.count == 5, "epochs repeat their order")
        var full = BatchSampler(rows: 32, batch: 8, shuffle: .seeded, seed: 1)
        #expect(full.epoch().flatMap { $0 }.sorted() == Array(0..<32))
    }

    @Test("the same seed gives the same batches, and another seed other batches")
    func seeds() {
        func batches(_ seed: UInt64) -> [[Int]] {
            var sampler = BatchSampler(rows: 100, batch: 7, shuffle: .seeded, seed: seed)
            return sampler.epoch() + sampler.epoch()
        }
        #expect(batches(1) == batches(1))
        #expect(batches(1) != batches(2))
    }

    @Test("without shuffling the order is the input's in every epoch")
    func inputOrder() {
        var sampler = BatchSampler(rows: 10, batch: 4, shuffle: .none, seed: 1)
        for _ in 0..<2 { #expect(sampler.epoch() == [[0, 1, 2, 3], [4, 5, 6, 7]]) }
    }

    @Test("a set smaller than the batch is one batch")
    func smallSet() {
        var sampler = BatchSampler(rows: 3, batch: 8, shuffle: .seeded, seed: 1)
        #expect(sampler.stepsPerEpoch == 1)
        #expect(sampler.epoch().map { $0.sorted() } == [[0, 1, 2]])
    }
}
