// GPT-2 as a language model, forward and backward: embeddings, all blocks, the final LayerNorm, and the tied head.

/// Computes losses of the next token, and the gradients of all parameters.
package final class LanguageModel: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    private let parameters: GPT2Parameters
    private let gradients: GPT2Parameters?
    private let config: GPT2Config
    private let workers: Workers
    private let blocks: [TransformerBlock]
    private let head: LanguageModelHead
    private let table: Embeddings
    private let embeddings: EmbeddingGradient?

    /// About how many tokens go through the model at a time: few, so that what the backward pass needs is still in
    /// the cache, and enough that each core has work.
    private static let chunkTokens = 1024

    private let workspace = Workspace()
    private var capacity = 0
    // Inputs of all blocks, and the last one's output, each [N,C].
    private var states: [FloatView] = []
    // Of the final LayerNorm: x̂ [N,C], [N], and its output [N,C].
    private var norm = FloatView(), rstd = FloatView(), output = FloatView()
    // Scratch of the backward pass [N,C].
    private var dOutput = FloatView(), dStates = FloatView(), dOther = FloatView()

    private var C: Int { config.width }

    /// - Parameters:
    ///   - gradients: where ``addGradients(tokens:_:denominator:)`` adds; nil for losses alone. Those of the
    ///     classification head stay as they are.
    ///   - precision: of the operands of matrix products.
    /// - Throws: ``OneDNNError``, ``OutOfMemory``.
    package init(
        _ parameters: GPT2Parameters, gradients: GPT2Parameters?, config: GPT2Config, precision: Precision = .float32,
        workers: Workers
    ) throws {
        self.parameters = parameters
        self.gradients = gradients
        self.config = config
        self.workers = workers
        table = Embeddings(parameters)
        let scratch = ProductScratch()
        blocks = try parameters.blocks.indices.map { block in
            try TransformerBlock(
                parameters.blocks[block], gradients: gradients.map { BlockGradients($0.blocks[block]) }, config: config,
                precision, scratch: scratch, workers: workers)
        }
        head = try LanguageModelHead(
            parameters.tokenEmbedding, gradient: gradients?.tokenEmbedding, OperandType(precision), scratch: scratch,
            workers: workers)
        embeddings =
            if let gradients {
                try EmbeddingGradient(gradients, config: config, workers: workers)
            } else {
                nil
            }
    }

    /// The number of tokens that texts predict: all of a text but its first.
    package static func predictions(_ layout: TextLayout) -> Int { layout.tokens - layout.rows }

    /// The sum of the losses of all predicted tokens.
    ///
    /// - Parameter tokens: those of all texts, one after another, [N].
    package func loss(tokens: [Int32], _ layout: TextLayout) throws -> Double {
        try eachChunk(tokens, layout) { tokens, layout in
            try forward(tokens, layout)
            return head.loss(states: output, targets: Self.targets(tokens, layout))
        }
    }

    /// Adds the gradients of the loss divided by `denominator`; the sum of the losses, as ``loss(tokens:_:)`` gives it.
    package func addGradients(
        tokens: [Int32], _ layout: TextLayout, denominator: Double
    ) throws -> Double {
        try eachChunk(tokens, layout) { try addChunk($0, $1, denominator) }
    }

    /// Reads the parameters as they are now. To be called after every change of them.
    package func refresh() {
        for block in blocks { block.refresh() }
        head.refresh()
    }

    /// The sum of what `body` computes for some texts at a time.
    private func eachChunk(
        _ tokens: [Int32], _ layout: TextLayout, _ body: (_ tokens: [Int32], _ layout: TextLayout) throws -> Double
    ) throws -> Double {
        try layout.chunks(tokens: Self.chunkTokens, rows: .max).reduce(0) { sum, texts in
            let range = layout.offsets[texts.lowerBound]..<layout.offsets[texts.upperBound]
            return try sum + body(Array(tokens[range]), TextLayout(lengths: texts.map(layout.length)))
        }
    }

    private func addChunk(_ tokens: [Int32], _ layout: TextLayout, _ denominator: Double) throws -> Double {
        guard let gradients, let embeddings else { preconditionFailure("a language model without gradients") }
        let N = layout.tokens
        try forward(tokens, layout)
        try embeddings.reserve(layout)
        let loss = head.loss(
            states: output, targets: Self.targets(tokens, layout), dStates: dOutput, denominator: denominator)
        dOutput.addNormalizeGradients(
            LayerNormGradient(weight: gradients.finalNormWeight, bias: gradients.finalNormBias), normalized: norm,
            rows: N, width: C, workers)
        var (dBlockOutput, dBlockInput) = (dStates, dOther)
        dBlockOutput.pointer.update(repeating: 0, count: N * C)
        dBlockOutput.addNormalizeBackward(
            dOutput, normalized: norm, rstd: rstd, weight: parameters.finalNormWeight, rows: N, width: C, workers)
        for (index, block) in blocks.enumerated().reversed() {
            block.backward(index == 0 ? embeddings.dInput : dBlockInput, dBlockOutput, layout)
            swap(&dBlockOutput, &dBlockInput)
        }
        embeddings.addGradients(tokens: tokens, layout)
        return loss
    }

    /// Fills ``output`` [N,C].
    private func forward(_ tokens: [Int32], _ layout: TextLayout) throws {
        let N = layout.tokens
        try reserve(N)
        embed(tokens, layout)
        for (index, block) in blocks.enumerated() { try block.forward(states[index + 1], states[index], layout) }
        norm.normalize(states[blocks.count], rstd: rstd, rows: N, width: C, epsilon: config.epsilon, workers)
        output.affine(
            norm, weight: parameters.finalNormWeight, bias: parameters.finalNormBias, rows: N, width: C, workers)
    }

    /// The input of the first block [N,C]: wte[token] + wpe[position].
    private func embed(_ tokens: [Int32], _ layout: TextLayout) {
        let x = states[0]
        workers.forEach(layout.rows) { text in
            let first = layout.offsets[text]
            tokens[first..<layout.offsets[text + 1]].withUnsafeBufferPointer { tokens in
                guard let start = tokens.baseAddress else { return }
                table.forward(x.pointer + first * C, tokens: start, count: tokens.count)
            }
        }
    }

    /// Of every position the token that follows, −1 at the end of a text.
    private static func targets(_ tokens: [Int32], _ layout: TextLayout) -> [Int32] {
        var targets = Array(tokens.dropFirst()) + [-1]
        for end in layout.offsets.dropFirst() { targets[end - 1] = -1 }
        return targets
    }

    private func reserve(_ N: Int) throws(OutOfMemory) {
        guard N > capacity else { return }
        try workspace.allocate { take in
            states = (0...blocks.count).map { _ in take(N * C) }
            norm = take(N * C)
            rstd = take(N)
            output = take(N * C)
            guard gradients != nil else { return }
            dOutput = take(N * C)
            dStates = take(N * C)
            dOther = take(N * C)
        }
        capacity = N
    }
}
