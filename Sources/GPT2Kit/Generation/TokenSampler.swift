// Which token comes next: the likeliest, or one that is drawn.

import Platform
import Records

/// How a token is chosen by the logits of all tokens.
public struct TokenSampler: Sendable, Equatable {
    /// Logits are divided by it before the softmax: below 1 likely tokens get likelier. 0 takes the likeliest token, of
    /// several equal ones that with the lowest number.
    public var temperature = 0.8
    /// Only so many of the likeliest tokens, at least one, are drawn from (Fan, Lewis & Dauphin 2018); nil for all.
    public var topK: Int? = 40

    /// The default settings.
    public init() {}

    /// The token that is chosen.
    ///
    /// - Parameter logits: [V], all finite.
    package func token(_ logits: UnsafeBufferPointer<Float>, _ generator: inout SeededGenerator) -> Int32 {
        if temperature == 0 || most == 1 { return Int32(Softmax.indexOfLargest(logits)) }
        let candidates = candidates(logits)
        let highest = Double(logits[candidates[0]])
        let weights = candidates.map { exp((Double(logits[$0]) - highest) / temperature) }
        var rest = generator.nextUniform() * weights.reduce(0, +)
        for (token, weight) in zip(candidates, weights) {
            rest -= weight
            if rest < 0 { return Int32(token) }
        }
        return Int32(candidates[0])
    }

    /// How many tokens may be chosen at most.
    private var most: Int { max(1, topK ?? .max) }

    /// The tokens that may be chosen, the likeliest first; of equal ones that with the lower number.
    private func candidates(_ logits: UnsafeBufferPointer<Float>) -> [Int] {
        func precedes(_ a: Int, _ b: Int) -> Bool { logits[a] > logits[b] || (logits[a] == logits[b] && a < b) }
        guard most < logits.count else { return logits.indices.sorted(by: precedes) }
        // The best so far, sorted. Few tokens get among them, so that inserting is as fast as a heap, and shorter.
        var best: [Int] = []
        for token in logits.indices where best.count < most || precedes(token, best[most - 1]) {
            let place = best.firstIndex { precedes(token, $0) } ?? best.count
            best.insert(token, at: place)
            if best.count > most { best.removeLast() }
        }
        return best
    }
}
