// The matrix products of the frozen blocks with nothing between them: the rate that they can at best have.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records

struct MeasureMatmul: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matmul",
        abstract: "Run the linear layers of GPT-2's blocks alone, on all workers, on chunks as the frozen blocks have.")

    @Option(help: ArgumentHelp("Blocks, each with weights of its own.", valueName: "n"), transform: positiveInteger)
    var blocks = 11

    @Option(help: ArgumentHelp("Width.", valueName: "C"), transform: positiveInteger)
    var width = 768

    @Option(help: ArgumentHelp("For how long at least.", valueName: "s"))
    var seconds = 5.0

    @Option(help: "The numbers of the products.")
    var precision = Precision.float32

    @OptionGroup var threads: ThreadsOption

    func run() throws {
        let workers = Workers(count: threads.count)
        let layers = try Layers(blocks: blocks, width: width, precision, workers: workers.count)
        layers.run(workers)  // once, so that everything is in memory
        let begin = measure.seconds()
        var rounds = 0
        while rounds == 0 || measure.seconds() - begin < seconds {
            layers.run(workers)
            rounds += 1
        }
        let elapsed = measure.seconds() - begin
        let operations = 2.0 * 12 * Double(width * width * blocks) * Double(layers.tokens * rounds)
        try printObject([
            "implementation": .string(layers.implementation), "seconds": .number("\(elapsed)"),
            "gflops": .number("\(operations / elapsed / 1e9)"),
        ])
    }
}

extension Precision: ExpressibleByArgument {}

/// The four linear layers of every block, and memory for one chunk of tokens per worker.
private struct Layers: @unchecked Sendable {  // every worker has memory of its own; weights don't change
    /// Tokens of all workers in a round.
    let tokens: Int
    let implementation: String
    private let blocks: [[PrepackedLinear]]
    private let chunks: [Chunk]
    private static let chunkTokens = InferenceBlocks.chunkTokens

    private struct Chunk {
        let input: FloatBuffer
        let output: FloatBuffer
        let scratch: FloatBuffer
    }

    init(blocks count: Int, width C: Int, _ precision: Precision, workers: Int) throws {
        var generator = SeededGenerator(seed: 1)
        func tensor(_ shape: [Int]) throws -> Tensor {
            let tensor = try Tensor(shape: shape)
            for index in 0..<tensor.count {
                tensor.mutablePointer[index] = Float.random(in: -0.03...0.03, using: &generator)
            }
            return tensor
        }
        var blocks: [[PrepackedLinear]] = []
        for _ in 0..<count {
            blocks.append([
                try PrepackedLinear(tensor([C, 3 * C]), tensor([3 * C]), .store, precision),
                try PrepackedLinear(tensor([C, C]), tensor([C]), .add, precision),
                try PrepackedLinear(tensor([C, 4 * C]), tensor([4 * C]), .gelu, precision),
                try PrepackedLinear(tensor([4 * C, C]), tensor([C]), .add, precision),
            ])
        }
        self.blocks = blocks
        implementation = blocks.first?.first?.implementation ?? ""
        tokens = Self.chunkTokens * workers
        let scratch = blocks.joined().map(\.scratchCount).max() ?? 0
        chunks = try (0..<workers).map { _ in
            let chunk = Chunk(
                input: try FloatBuffer(count: Self.chunkTokens * 4 * C),
                output: try FloatBuffer(count: Self.chunkTokens * 4 * C), scratch: try FloatBuffer(count: scratch + 16))
            for index in 0..<Self.chunkTokens * 4 * C {
                chunk.input.pointer[index] = Float.random(in: -1...1, using: &generator)
            }
            return chunk
        }
    }

    /// All layers on one chunk of every worker.
    func run(_ workers: Workers) {
        workers.forEach(chunks.count) { index in
            let chunk = chunks[index]
            for layer in blocks.joined() {
                for first in stride(from: 0, to: Self.chunkTokens, by: PrepackedLinear.tileRows) {
                    layer.run(
                        FloatView(chunk.output.pointer + first * layer.outputs),
                        FloatView(chunk.input.pointer + first * layer.inputs), scratch: FloatView(chunk.scratch.pointer)
                    )
                }
            }
        }
    }
}
