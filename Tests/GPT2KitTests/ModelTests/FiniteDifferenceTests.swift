// Analytic gradients against central differences of the loss, along random directions of every parameter tensor:
//
//     ⟨∇L, u⟩ ≈ (L(p + h·u) − L(p − h·u)) / 2h
//
// with u of N(0, 1) numbers divided by the root of their number (|u| ≈ 1), and h = 0.02. The pieces of the error: a loss
// from Float32 logits is right to some 1e-7, which the difference divides by 2h; the third derivative contributes
// h²/6·L‴, which a second difference at 2h takes out (Richardson: (4·D(h) − D(2h)) / 3). Together 3e-5 was the
// worst that was measured, where the steepest slopes are about 0.5. The tolerance is 1e-4·max(1, |slope|).

import GPT2Kit
import Records
import Testing

struct FiniteDifferenceTests {
    private static let seed: UInt64 = 20_260_101
    private static let step: Float = 0.02
    private static let tolerance = 1e-4
    private static let directions = 3

    @Test(
        "every gradient is the slope of the loss", arguments: Pooling.allCases,
        [TrainableSet.head, .lastBlocks(1), .lastBlocks(2), .all])
    func slopes(_ pooling: Pooling, _ trainable: TrainableSet) throws {
        let model = try RandomClassifier(seed: Self.seed)
        let layout = TextLayout(
            lengths: [5, 1, 9, 3].map { pooling.positions(length: $0, paddedLength: 9, isCausal: true) })
        let tokens = model.tokens(layout, seed: Self.seed + 1)
        let labels = [2, 0, 1, 1]
        func loss() throws -> Double {
            let logits = try model.run(tokens: tokens, layout, pooling: pooling, trainable: trainable).logits
            return CrossEntropyLoss.sumAndCorrect(logits, labels: labels, classes: 3).sum / Double(labels.count)
        }
        let gradients = try model.run(
            tokens: tokens, layout, pooling: pooling, trainable: trainable, labels: labels
        ).gradients
        var generator = SeededGenerator(seed: Self.seed + 2)
        var steepest = 0.0
        for ((name, parameter), (_, gradient)) in zip(model.parameters.named, gradients.named)
        where GPT2Parameters.isTrainable(name, trainable, blocks: model.config.blocks) {
            let start = parameter.array
            for _ in 0..<Self.directions {
                let direction = normals(start.count, &generator, deviation: 1 / Double(start.count).squareRoot())
                func difference(_ h: Float) throws -> Double {
                    defer { _ = parameter.mutableValues.update(fromContentsOf: start) }
                    _ = parameter.mutableValues.update(fromContentsOf: zip(start, direction).map { $0 + h * $1 })
                    let above = try loss()
                    _ = parameter.mutableValues.update(fromContentsOf: zip(start, direction).map { $0 - h * $1 })
                    return (above - (try loss())) / Double(2 * h)
                }
                let expected = try (4 * difference(Self.step) - difference(2 * Self.step)) / 3
                let slope = zip(gradient.array, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                #expect(
                    abs(slope - expected) <= Self.tolerance * max(1, abs(expected)),
                    "\(name), \(pooling.rawValue), \(trainable), seed \(Self.seed): \(slope), by differences \(expected)"
                )
                steepest = max(steepest, abs(slope))
            }
        }
        #expect(steepest > 0.05, "gradients so small that nothing was tested")
    }
}
