import GPT2Kit
import Platform
import Records
import Testing

struct TokenSamplerTests {
    private func sampler(_ temperature: Double, _ topK: Int?) -> TokenSampler {
        var sampler = TokenSampler()
        sampler.temperature = temperature
        sampler.topK = topK
        return sampler
    }

    private func draw(_ sampler: TokenSampler, _ logits: [Float], _ count: Int, seed: UInt64 = 1) -> [Int32] {
        var generator = SeededGenerator(seed: seed)
        return logits.withUnsafeBufferPointer { logits in
            (0..<count).map { _ in sampler.token(logits, &generator) }
        }
    }

    @Test("temperature 0 and the best token alone take the largest logit, of equal ones the first")
    func likeliest() {
        let logits: [Float] = [1, 3, -2, 3, 2.5]
        #expect(draw(sampler(0, nil), logits, 20).allSatisfy { $0 == 1 })
        #expect(draw(sampler(2, 1), logits, 20).allSatisfy { $0 == 1 })
    }

    @Test(
        "tokens are drawn as often as the softmax of logits / temperature says",
        arguments: [(1.0, Int?.none), (0.5, nil), (2, nil), (1, 3), (0.7, 4), (1, 100)])
    func shares(temperature: Double, topK: Int?) {
        let logits: [Float] = [0.5, 2, -1, 1.5, 0, 2.25, -3]
        let count = 40_000
        let tokens = draw(sampler(temperature, topK), logits, count)
        let kept = logits.indices.sorted { logits[$0] > logits[$1] }.prefix(topK ?? logits.count)
        let weights = logits.indices.map { kept.contains($0) ? exp(Double(logits[$0]) / temperature) : 0 }
        let total = weights.reduce(0, +)
        for token in logits.indices {
            let p = weights[token] / total
            let got = Double(tokens.count { $0 == token }) / Double(count)
            // Five standard deviations.
            #expect(abs(got - p) <= 5 * (p * (1 - p) / Double(count)).squareRoot(), "\(token): \(got), \(p)")
        }
    }

    @Test("the same seed draws the same tokens, another one others")
    func seeds() {
        let logits = (0..<300).map { Float($0 % 17) / 4 }
        let sampler = TokenSampler()
        #expect(draw(sampler, logits, 50) == draw(sampler, logits, 50))
        #expect(draw(sampler, logits, 50) != draw(sampler, logits, 50, seed: 2))
    }

    @Test("the k best of many are those that sorting finds")
    func best() {
        var generator = SeededGenerator(seed: 4)
        let logits = (0..<5000).map { _ in Float(generator.nextInteger(below: 900)) / 9000 }
        let order = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }
        for topK in [2, 7, 40] {
            let drawn = Set(draw(sampler(50, topK), logits, 3000).map(Int.init))
            #expect(drawn == Set(order.prefix(topK)))
        }
    }
}
