// Where the backward pass of a block adds its gradients: to those of the parameters themselves, to those of LoRA's
// adapters, or nowhere.

/// The gradients of one transformer block. Those of what isn't trained are nil or ``LayerGradient/frozen``.
package struct BlockGradients {
    /// Those of ln_1.
    package let norm1: LayerNormGradient?
    /// Those of attn.c_attn.
    package let attention: LayerGradient
    /// Those of attn.c_proj.
    package let attentionProjection: LayerGradient
    /// Those of ln_2.
    package let norm2: LayerNormGradient?
    /// Those of mlp.c_fc.
    package let mlpFC: LayerGradient
    /// Those of mlp.c_proj.
    package let mlpProjection: LayerGradient

    /// Gradients of all parameters.
    package init(_ block: BlockParameters) {
        norm1 = LayerNormGradient(weight: block.ln1Weight, bias: block.ln1Bias)
        attention = .full(LinearGradient(block.attentionWeight, block.attentionBias))
        attentionProjection = .full(LinearGradient(block.attentionProjectionWeight, block.attentionProjectionBias))
        norm2 = LayerNormGradient(weight: block.ln2Weight, bias: block.ln2Bias)
        mlpFC = .full(LinearGradient(block.mlpFCWeight, block.mlpFCBias))
        mlpProjection = .full(LinearGradient(block.mlpProjectionWeight, block.mlpProjectionBias))
    }

    /// Gradients of adapters alone; nil where a layer has no adapter.
    package init(attention: Adapter?, attentionProjection: Adapter?, mlpFC: Adapter?, mlpProjection: Adapter?) {
        norm1 = nil
        norm2 = nil
        self.attention = LayerGradient(attention)
        self.attentionProjection = LayerGradient(attentionProjection)
        self.mlpFC = LayerGradient(mlpFC)
        self.mlpProjection = LayerGradient(mlpProjection)
    }
}

/// The gradient of a fully connected layer y = x·W + b.
package enum LayerGradient {
    /// None, because the layer isn't trained.
    case frozen
    /// dW [inputs,outputs] and db.
    case full(LinearGradient)
    /// dA and dB of the layer's adapter.
    case adapter(Adapter)

    init(_ adapter: Adapter?) { self = adapter.map(Self.adapter) ?? .frozen }

    /// Reserves the scratch memory that an adapter needs for inputs of `rows` rows.
    package func reserve(rows: Int) throws(OutOfMemory) {
        if case .adapter(let adapter) = self { try adapter.reserve(rows: rows) }
    }

    /// Adds the gradients that follow from input [rows,inputs] and dOutput [rows,columns].
    ///
    /// - Parameter columns: the outputs of the layer that dOutput belongs to; nil for all.
    package func addGradients(
        input: Matrix, dOutput: Matrix, rows: Int, columns: Range<Int>? = nil, workers: Workers
    ) {
        switch self {
        case .frozen: break
        case .full(let linear):
            (columns.map(linear.columns) ?? linear).add(
                input: input, dOutput: dOutput, rows: rows, workers: workers)
        case .adapter(let adapter):
            adapter.addGradients(
                input: input, dOutput: dOutput, rows: rows, columns: columns ?? 0..<adapter.outputs, workers: workers)
        }
    }

    /// Adds to the gradient of the weight alone, for outputs that belong to H attention heads. The outputs of head h,
    /// at columns firstColumn + h·d ..< firstColumn + (h+1)·d, have an input of their own.
    ///
    /// - Parameters:
    ///   - inputs: [rows,H,inputs].
    ///   - dOutput: [rows,H·d].
    package func addGradients(
        headInputs inputs: FloatView, dOutput: Matrix, rows: Int, heads H: Int, headWidth d: Int, firstColumn: Int,
        workers: Workers
    ) {
        switch self {
        case .frozen: break
        case .full(let linear):
            let C = linear.inputs
            workers.forEach(H) { head in
                matmul(
                    linear.dWeight.at(column: firstColumn + head * d), inputs.matrix(H * C).at(column: head * C),
                    dOutput.at(column: head * d), m: C, n: d, k: rows, transposeA: true, keep: 1)
            }
        case .adapter(let adapter):
            adapter.addGradients(
                headInputs: inputs, dOutput: dOutput, rows: rows, heads: H, headWidth: d, firstColumn: firstColumn,
                workers: workers)
        }
    }
}
