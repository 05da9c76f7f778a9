// What PyTorch computed for a small random GPT-2 (Tests/Fixtures/tiny, tiny-3class), and how to compare with it.

import Foundation
import GPT2Kit
import Safetensors
import TestSupport
import Testing

/// One folder of Tests/Fixtures: a model, and the numbers that PyTorch got from it.
struct Reference {
    let config: GPT2Config
    let parameters: GPT2Parameters
    let expected: SafetensorsFile
    let B: Int, T: Int, K: Int
    let ids: [Int32]
    let lengths: [Int]
    let labels: [Int]

    static let names = ["tiny", "tiny-3class"]
    /// Those that the reference knows; TrainingParityTests has the others.
    static let poolings = Pooling.allCases.filter { $0 != .meanText }

    private static func folder(_ name: String) -> String { fixture(name) }

    /// What Tests/Fixtures/make_training_options.py made of tiny-3class.
    static func training() throws -> SafetensorsFile {
        try SafetensorsFile(path: folder("tiny-3class") + "/training.safetensors")
    }

    init(_ name: String) throws {
        let folder = Self.folder(name)
        let expected = try SafetensorsFile(path: folder + "/expected.safetensors")
        let headShape = try expected.description(of: "head.weight").shape
        config = try GPT2Config(path: folder + "/model/config.json")
        K = headShape[0]
        parameters = try GPT2Parameters(
            WeightFiles(directory: folder + "/model"), config: config, classes: K, workers: Workers(count: 2)
        ) { name, shape in
            let tensor = try Tensor(shape: shape)
            _ = tensor.mutableValues.update(
                fromContentsOf: try expected.floats(name.replacing("score.", with: "head."), shape: shape))
            return tensor
        }
        let shape = try expected.description(of: "input_ids").shape
        (B, T) = (shape[0], shape[1])
        self.expected = expected
        ids = try expected.integers("input_ids", as: Int32.self, shape: [B, T])
        lengths = try expected.integers("lengths", as: Int32.self, shape: [B]).map { Int($0) }
        labels = try expected.integers("labels", as: Int32.self, shape: [B]).map { Int($0) }
    }

    /// The tokens that `pooling` needs of `rows`, packed.
    func batch(_ rows: [Int], _ pooling: Pooling) -> (tokens: [Int32], layout: TextLayout, labels: [Int]) {
        let counts = rows.map { pooling.positions(length: lengths[$0], paddedLength: T, isCausal: config.isCausal) }
        let tokens = zip(rows, counts).flatMap { row, count in ids[row * T..<row * T + count] }
        return (tokens, TextLayout(lengths: counts), rows.map { labels[$0] })
    }
}

/// Elementwise |got − expected| ≤ tolerance·max(1, |expected|); tells the worst element.
func expectClose(
    _ got: UnsafeBufferPointer<Float>, _ expected: [Float], tolerance: Float, _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    expectClose(Array(got), expected, tolerance: { _ in tolerance }, name, sourceLocation: sourceLocation)
}

func expectClose(
    _ got: [Float], _ expected: [Float], tolerance: (Int) -> Float, _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard got.count == expected.count else {
        Issue.record("\(name): \(got.count) numbers, expected \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    var worst = (excess: -Float.infinity, index: 0)
    for i in got.indices {
        let difference = abs(got[i] - expected[i])
        let excess = difference - tolerance(i) * max(1, abs(expected[i]))
        if excess.isNaN || excess > worst.excess { worst = (excess.isNaN ? .infinity : excess, i) }
    }
    if worst.excess > 0 {
        Issue.record(
            "\(name)[\(worst.index)]: got \(got[worst.index]), expected \(expected[worst.index])",
            sourceLocation: sourceLocation)
    }
}
