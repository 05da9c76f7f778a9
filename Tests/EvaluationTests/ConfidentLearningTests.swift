// Suspected labels against cleanlab's (Tests/Fixtures/make_suspects.py).

import Evaluation
import Foundation
import Records
import TestSupport
import Testing

struct ConfidentLearningTests {
    private struct Numbers {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }

    @Test("suspects, their order and the joint of random cases are cleanlab's")
    func cases() throws {
        var suspects = 0
        for line in try String(contentsOfFile: fixture("suspects.ndjson"), encoding: .utf8).split(separator: "\n") {
            let expected = try JSONValue(parsing: Array(line.utf8))
            let number = try #require(expected["case"]?.int)
            var numbers = Numbers(state: UInt64(number))
            for _ in 0..<5 { _ = numbers.below(2) }
            let (K, n) = (2 + numbers.below(5), 20 + numbers.below(200))
            var (labels, probabilities): ([Int], [Double]) = ([], [])
            for _ in 0..<n {
                let own = numbers.below(K)
                // As the script draws it: the other label first.
                let isWrong = numbers.below(8) == 0
                labels.append(isWrong ? (own + 1 + numbers.below(K - 1)) % K : own)
                var weights = (0..<K).map { _ in 1 + numbers.below(100_000) }
                weights[own] += weights.max() ?? 0
                let total = Double(weights.reduce(0, +))
                probabilities += weights.map { Double($0) / total }
            }
            let learning = ConfidentLearning(labels: labels, probabilities: probabilities, classes: K)
            #expect(learning.suspects == expected["suspects"]?.array?.compactMap(\.int), "case \(number)")
            #expect(
                learning.joint == expected["joint"]?.array?.map { $0.array?.compactMap(\.int) ?? [] }, "case \(number)")
            suspects += learning.suspects.count
        }
        #expect(suspects > 400)
    }

    @Test("labels that all agree, one class, and no records have no suspects")
    func none() {
        let sure = ConfidentLearning(labels: [0, 1, 0], probabilities: [0.9, 0.1, 0.2, 0.8, 0.7, 0.3], classes: 2)
        #expect(sure.suspects.isEmpty)
        #expect(ConfidentLearning(labels: [0, 0], probabilities: [1, 1], classes: 1).suspects.isEmpty)
        #expect(ConfidentLearning(labels: [], probabilities: [], classes: 2).suspects.isEmpty)
    }
}
