// The end of a classifier, from some block on: the remaining blocks, the final LayerNorm, the pooling and the head, which makes
// the logits; with the loss on top, forward and backward. In training these are the trainable blocks, and the frozen ones
// come before; scoring runs it forward alone.

/// The last blocks, the final LayerNorm, the head and the loss, forward and backward.
package final class ClassifierTail: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    private let parameters: GPT2Parameters
    private let gradients: GPT2Parameters?
    private let config: GPT2Config
    private let pooling: Pooling
    private let firstBlock: Int
    private let workers: Workers
    private let adapters: Adapters?
    private let objective: CrossEntropyLoss
    /// Whether the blocks and the final LayerNorm need gradients, and whether the embeddings do.
    private let trainsBlocks: Bool
    private let trainsEmbeddings: Bool
    private var dropout: Dropout?

    private let blocks: [TransformerBlock]
    private let pooledBlock: PooledBlock?

    private let workspace = Workspace()
    private var capacity = (tokens: 0, rows: 0)
    private var states: [FloatView] = []  // inputs of the blocks from firstBlock on, and the output of the last; [N,C]
    private var norm = FloatView(), rstd = FloatView()  // of the final LayerNorm: [B,C] pooled, or [N,C] for the mean
    private var pooled = FloatView(), dPooled = FloatView()  // what the head reads [B,C]
    private var dStates = FloatView(), dOther = FloatView(), dNorm = FloatView()

    /// Logits [B,K] of the last forward pass.
    package private(set) var logits: FloatView = FloatView()
    private var dLogits = FloatView()

    private var C: Int { config.width }
    private var K: Int { parameters.classes }

    /// - Parameters:
    ///   - firstBlock: the block whose input `forward` is given; `config.blocks` for the final hidden states.
    ///   - gradients: where `backward` adds to; nil for inference.
    ///   - adapters: LoRA's, whose merged weights are among the parameters.
    ///   - trainable: which gradients are needed.
    ///   - objective: what `loss` computes, and `backward` differentiates.
    ///   - precision: of the operands of products over the tokens of whole texts.
    ///   - other: one for other batches of the same parameters, which prepares the weights for both; nil for none.
    /// - Throws: ``OneDNNError``, ``OutOfMemory``.
    package init(
        _ parameters: GPT2Parameters, gradients: GPT2Parameters?, adapters: Adapters? = nil, trainable: TrainableSet,
        objective: CrossEntropyLoss = CrossEntropyLoss(), config: GPT2Config, pooling: Pooling, firstBlock: Int,
        precision: Precision = .float32, sharing other: ClassifierTail? = nil, workers: Workers
    ) throws {
        self.parameters = parameters
        self.gradients = gradients
        self.adapters = adapters
        self.objective = objective
        self.config = config
        self.pooling = pooling
        self.firstBlock = firstBlock
        self.workers = workers
        trainsBlocks = gradients != nil && trainable != .head
        trainsEmbeddings = gradients != nil && trainable == .all
        let plainBlocks =
            pooling.readsAllPositions ? firstBlock..<config.blocks : firstBlock..<max(firstBlock, config.blocks - 1)
        let wanted: GPT2Parameters? = trainsBlocks ? gradients : nil
        func blockGradients(_ block: Int) -> BlockGradients? {
            wanted.map { adapters?.gradients(block: block) ?? BlockGradients($0.blocks[block]) }
        }
        let scratch = ProductScratch()
        blocks = try plainBlocks.map {
            try TransformerBlock(
                parameters.blocks[$0], gradients: blockGradients($0), config: config, precision, scratch: scratch,
                sharing: other?.blocks[$0 - firstBlock], workers: workers)
        }
        let last = config.blocks - 1
        pooledBlock =
            pooling.readsAllPositions || firstBlock > last
            ? nil
            : PooledBlock(
                parameters.blocks[last], gradients: blockGradients(last), config: config, pooling: pooling,
                workers: workers)
    }

    /// Reads the weights as they are now. To be called after every change of the parameters.
    package func refresh() {
        for block in blocks { block.refresh() }
    }

    private func reserve(_ layout: TextLayout) throws(OutOfMemory) {
        guard layout.tokens > capacity.tokens || layout.rows > capacity.rows else { return }
        let N = max(layout.tokens + layout.tokens / 4, capacity.tokens)
        let B = max(layout.rows, capacity.rows)
        // The head's rows: all positions for the mean of logits, otherwise the pooled one.
        let P = pooling.readsAllPositions ? N : B
        try workspace.allocate { take in
            norm = take(P * C)
            rstd = take(P)
            pooled = take(B * C)
            dPooled = take(B * C)
            logits = take(B * K)
            dLogits = take(B * K)
            dNorm = take(P * C)
            states = blocks.map { _ in take(N * C) } + [take(P * C)]
            guard trainsBlocks else { return }
            dStates = take(N * C)
            dOther = take(N * C)
        }
        try adapters?.head?.reserve(rows: B)
        capacity = (N, B)
    }

    // MARK: - Forward

    /// Fills ``logits`` from the input of block `firstBlock`, [N,C].
    ///
    /// - Parameter dropout: for training; where the embeddings are trained, it changes `input` too.
    package func forward(_ input: FloatView, _ layout: TextLayout, dropout: Dropout? = nil) throws {
        self.dropout = dropout
        dropEmbeddings(input, layout)
        try pool(input, layout, dropout: dropout)
        head(rows: layout.rows)
    }

    /// Fills ``pooledStates``, the input of the head: the final LayerNorm's output at the pooled position, or its mean
    /// over positions (the mean of the logits is the logit of the mean).
    package func pool(_ input: FloatView, _ layout: TextLayout, dropout: Dropout? = nil) throws {
        try reserve(layout)
        let B = layout.rows
        var x = input
        for (index, block) in blocks.enumerated() {
            try block.forward(
                states[index], x, layout,
                dropout: dropout.map { BlockDropout($0, block: firstBlock + index, layout) })
            x = states[index]
        }
        if pooling.readsAllPositions {
            finalNorm(x, rows: layout.tokens)
            for row in 0..<B {
                let mean = pooled.pointer + row * C
                mean.update(repeating: 0, count: C)
                for token in layout.offsets[row]..<layout.offsets[row + 1] {
                    addHadamard(
                        mean, norm.pointer + token * C, parameters.finalNormWeight.pointer, C)
                }
                let share = 1 / Float(layout.length(row))
                for i in 0..<C { mean[i] = mean[i] * share + parameters.finalNormBias.pointer[i] }
            }
            return
        }
        let last = states[blocks.count]
        if let pooledBlock {
            try pooledBlock.forward(
                last, x, layout,
                dropout: dropout.map { BlockDropout($0, block: config.blocks - 1, layout, pooling: pooling) })
        } else {
            for row in 0..<B {
                (last.pointer + row * C).update(from: x.pointer + layout.pooledToken(row, pooling) * C, count: C)
            }
        }
        finalNorm(last, rows: B)
        LayerNorm.affine(
            pooled.pointer, norm.pointer, weight: parameters.finalNormWeight.pointer,
            bias: parameters.finalNormBias.pointer, rows: B, width: C)
    }

    /// The input of the head, [B,C], which ``pool(_:_:dropout:)`` fills.
    package var pooledStates: FloatView { pooled }

    /// Fills ``logits`` from pooled states [B,C], the input of the head.
    package func forward(pooledStates: UnsafePointer<Float>, rows: Int) throws(OutOfMemory) {
        try reserve(TextLayout(lengths: repeatElement(1, count: rows)))
        pooled.pointer.update(from: pooledStates, count: rows * C)
        head(rows: rows)
    }

    private func head(rows: Int) {
        for row in 0..<rows {
            for k in 0..<K {
                logits.pointer[row * K + k] =
                    dot(pooled.pointer + row * C, parameters.headWeight.pointer + k * C, C)
                    + parameters.headBias.pointer[k]
            }
        }
    }

    private func finalNorm(_ input: FloatView, rows: Int) {
        norm.normalize(input, rstd: rstd, rows: rows, width: C, epsilon: config.epsilon, workers)
    }

    // MARK: - Loss

    /// The sum of the losses of the rows of ``logits``.
    package func loss(labels: [Int]) -> Double { objective.sum(logits.pointer, labels: labels, classes: K) }

    // MARK: - Backward

    /// Adds the gradients of the loss of the last forward pass: that of ``loss(labels:)`` divided by `denominator`.
    ///
    /// - Parameters:
    ///   - denominator: nil for the objective's own, of these rows, which gives their mean.
    ///   - dInput: if not nil, [N,C], set to the gradient of that pass's input.
    package func backward(labels: [Int], denominator: Double? = nil, dInput: FloatView? = nil, _ layout: TextLayout) {
        guard let gradients else { return }
        let B = layout.rows
        objective.gradient(
            dLogits.pointer, logits.pointer, labels: labels, classes: K,
            denominator: denominator ?? objective.denominator(labels))
        headGradients(gradients, rows: B)
        guard trainsBlocks else { return }
        matmul(
            dPooled.matrix(C), dLogits.matrix(K), Matrix(reading: parameters.headWeight.pointer, stride: C), m: B, n: C,
            k: K)

        let pooledRows = pooling.readsAllPositions ? layout.tokens : B
        if pooling.readsAllPositions {
            for row in 0..<B {
                let share = 1 / Float(layout.length(row))
                for token in layout.offsets[row]..<layout.offsets[row + 1] {
                    for i in 0..<C { dNorm.pointer[token * C + i] = dPooled.pointer[row * C + i] * share }
                }
            }
        } else {
            dNorm.pointer.update(from: dPooled.pointer, count: B * C)
        }
        dNorm.addNormalizeGradients(
            adapters == nil ? LayerNormGradient(weight: gradients.finalNormWeight, bias: gradients.finalNormBias) : nil,
            normalized: norm, rows: pooledRows, width: C, workers)
        var dOutput = dStates
        dOutput.pointer.update(repeating: 0, count: pooledRows * C)
        dOutput.addNormalizeBackward(
            dNorm, normalized: norm, rstd: rstd, weight: parameters.finalNormWeight, rows: pooledRows, width: C, workers
        )
        var free = dOther
        if let pooledBlock {
            let wanted: FloatView? = blocks.isEmpty ? dInput : free
            pooledBlock.backward(wanted, dOutput, layout)
            swap(&dOutput, &free)
        }
        for (index, block) in blocks.enumerated().reversed() {
            block.backward(index == 0 ? dInput : free, dOutput, layout)
            swap(&dOutput, &free)
        }
        if let dInput { dropEmbeddings(dInput, layout) }
    }

    private func headGradients(_ gradients: GPT2Parameters, rows B: Int) {
        if let head = adapters?.head {
            head.addGradients(
                input: pooled.matrix(C), dOutput: dLogits.matrix(K), rows: B, columns: 0..<K, workers: workers)
            return
        }
        matmul(
            Matrix(gradients.headWeight.mutablePointer, stride: C), dLogits.matrix(K), pooled.matrix(C),
            m: K, n: C, k: B, transposeA: true, keep: 1)
        for row in 0..<B { addVector(gradients.headBias.mutablePointer, dLogits.pointer + row * K, K) }
    }

    /// Drops some numbers of the embeddings [N,C], or of their gradients, where these are trained.
    private func dropEmbeddings(_ states: FloatView, _ layout: TextLayout) {
        guard trainsEmbeddings, let dropout else { return }
        BlockDropout(dropout, block: 0, layout).drop(states, .embeddings, width: C, workers)
    }
}
