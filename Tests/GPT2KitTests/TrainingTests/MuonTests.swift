// Muon against torch.optim.Muon (Tests/Fixtures/make_muon.py), elementwise.

import GPT2Kit
import Safetensors
import TestSupport
import Testing

struct MuonTests {
    private let expected: SafetensorsFile

    init() throws { expected = try SafetensorsFile(path: fixture("tiny/muon.safetensors")) }

    private func tensor(_ name: String) throws -> Tensor {
        let shape = try expected.description(of: name).shape
        let tensor = try Tensor(shape: shape)
        for (i, value) in try expected.floats(name, shape: shape).enumerated() { tensor.mutablePointer[i] = value }
        return tensor
    }

    /// The matrices of the reference after its five steps.
    private func run(_ names: [String], threads: Int) throws -> [Tensor] {
        let parameters = try names.map { try tensor("\($0).start") }
        let gradients = try parameters.map { try Tensor(shape: $0.shape) }
        let optimizer = try Muon(
            zip(names, zip(parameters, gradients)).map { ($1.0, $1.1, $0 == "triple" ? 3 : 1) },
            settings: Muon.Settings(learningRate: 4e-3, weightDecay: 0.1), workers: Workers(count: threads))
        for step in 0..<5 {
            for (name, gradient) in zip(names, gradients) {
                let values = try tensor("\(name).gradient.\(step)")
                gradient.mutablePointer.update(from: values.pointer, count: values.count)
                withExtendedLifetime(values) {}
            }
            optimizer.update()
            for gradient in gradients { #expect(gradient.array.allSatisfy { $0 == 0 }) }
        }
        return parameters
    }

    private static let names = ["wide", "tall", "square", "triple"]

    @Test("parameters after Muon's steps match PyTorch's, within 2e-6 of its steps in f32 and 2e-3 of those in bf16")
    func stepsMatch() throws {
        for (name, got) in zip(Self.names, try run(Self.names, threads: 1)) {
            func reference(_ key: String) throws -> [Float] { try expected.floats(key, shape: got.shape) }
            expectClose(got.array, try reference("\(name).end"), tolerance: { _ in 2e-6 }, name)
            expectClose(got.array, try reference("\(name).end.bf16"), tolerance: { _ in 2e-3 }, "\(name), bf16")
            let start = try reference("\(name).start")
            #expect(zip(got.array, start).contains { abs($0 - $1) > 5e-3 }, "\(name) moved")
        }
    }

    @Test("Muon's steps have the same bits on any number of threads")
    func sameBits() throws {
        let first = try run(Self.names, threads: 1).map { bits($0.array) }
        for threads in [2, 3, 9] {
            #expect(try run(Self.names, threads: threads).map { bits($0.array) } == first, "\(threads) threads")
        }
    }

    @Test("a matrix without a gradient only decays")
    func zeros() throws {
        let parameter = try tensor("square.start")
        let before = parameter.array
        let optimizer = try Muon(
            [(parameter, try Tensor(shape: parameter.shape), 1)],
            settings: Muon.Settings(learningRate: 0.5, weightDecay: 0.1), workers: Workers(count: 2))
        optimizer.update()
        expectClose(parameter.array, before.map { $0 * 0.95 }, tolerance: { _ in 1e-8 }, "decayed")
    }

    @Test("singular values are brought near 1: the rows of a wide matrix are nearly orthogonal afterwards")
    func orthogonal() throws {
        let (rows, columns) = (12, 48)
        let memory = try Tensor(shape: [Orthogonalization.scratchCount(rows: rows, columns: columns)])
        let matrix = try tensor("wide.gradient.0")
        memory.mutablePointer.update(from: matrix.pointer, count: matrix.count)
        let result = Orthogonalization.run(memory.mutablePointer, rows: rows, columns: columns)
        for i in 0..<rows {
            for j in 0..<rows {
                let sum = (0..<columns).reduce(Float(0)) { $0 + result[i * columns + $1] * result[j * columns + $1] }
                #expect(i == j ? 0.4 < sum && sum < 1.5 : abs(sum) < 0.3, "\(i), \(j): \(sum)")
            }
        }
        withExtendedLifetime((memory, matrix)) {}
    }
}
