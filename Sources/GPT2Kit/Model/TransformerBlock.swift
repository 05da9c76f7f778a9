// A whole transformer block, forward and backward, over N packed tokens (Radford et al. 2019, §2.3: pre-LayerNorm):
//
//     a = x + c_proj(attention(c_attn(ln_1(x))))
//     y = a + mlp.c_proj(gelu(mlp.c_fc(ln_2(a))))
//
// Keeps what its backward pass needs. One instance serves one block of one batch after another.

package final class TransformerBlock {
    private let parameters: BlockParameters
    private let gradients: BlockParameters?
    private let C: Int, F: Int, H: Int
    private let epsilon: Float
    private let workers: Workers

    private var memory = Arena()
    // What the forward pass keeps, all [N,…].
    private var norm1, rstd1, x1, qkv, heads, residual, norm2, rstd2, x2, expanded, activated: Region
    // Scratch of the backward pass.
    private var dWide, dQKV, dNarrow, dResidual: Region
    private var scratch: [FloatBuffer] = []
    private var capacity = (tokens: 0, length: 0)

    package init(_ parameters: BlockParameters, gradients: BlockParameters?, config: GPT2Config, workers: Workers) {
        self.parameters = parameters
        self.gradients = gradients
        self.workers = workers
        (C, F, H, epsilon) = (config.width, config.innerWidth, config.heads, config.epsilon)
        norm1 = Region()
        (rstd1, x1, qkv, heads, residual, norm2, rstd2, x2) = (norm1, norm1, norm1, norm1, norm1, norm1, norm1, norm1)
        (expanded, activated, dWide, dQKV, dNarrow, dResidual) = (norm1, norm1, norm1, norm1, norm1, norm1)
    }

    private func reserve(tokens N: Int, length T: Int) throws(OutOfMemory) {
        if N > capacity.tokens {
            let C = C, F = F, N = N + N / 4
            var sizes = [N * C, N, N * C, N * 3 * C, N * C, N * C, N * C, N, N * C, N * F, N * F]
            if gradients != nil { sizes += [N * F, N * 3 * C, N * C, N * C] }
            let regions = try memory.allocate(sizes)
            (norm1, rstd1, x1, qkv, heads, residual) = (
                regions[0], regions[1], regions[2], regions[3], regions[4], regions[5]
            )
            (norm2, rstd2, x2, expanded, activated) = (regions[6], regions[7], regions[8], regions[9], regions[10])
            if gradients != nil {
                (dWide, dQKV, dNarrow, dResidual) = (regions[11], regions[12], regions[13], regions[14])
            }
            capacity.tokens = N
        }
        if T > capacity.length {
            scratch = []
            for _ in 0..<workers.count { scratch.append(try FloatBuffer(count: Attention.scratchCount(length: T))) }
            capacity.length = T
        }
    }

    /// output [N,C] from input [N,C].
    package func forward(_ output: Region, _ input: Region, _ packing: Packing) throws(OutOfMemory) {
        let N = packing.tokens
        try reserve(tokens: N, length: packing.longest)
        normalize(x1, norm1, rstd1, input, parameters.ln1Weight, parameters.ln1Bias, rows: N)
        parameters.attention.forward(qkv.matrix(3 * C), x1.matrix(C), rows: N, workers: workers)
        eachHead(packing) { tokens, length, columns, scratch in
            Attention.forward(
                heads.matrix(C).at(row: tokens, column: columns),
                query: qkv.matrix(3 * C).at(row: tokens, column: columns),
                key: qkv.matrix(3 * C).at(row: tokens, column: C + columns),
                value: qkv.matrix(3 * C).at(row: tokens, column: 2 * C + columns),
                length: length, headWidth: C / H, scratch: scratch)
        }
        parameters.projection.forward(residual.matrix(C), heads.matrix(C), rows: N, workers: workers)
        residual.add(input, N * C, workers)
        normalize(x2, norm2, rstd2, residual, parameters.ln2Weight, parameters.ln2Bias, rows: N)
        parameters.expansion.forward(expanded.matrix(F), x2.matrix(C), rows: N, workers: workers)
        workers.forEachRange(N * F, by: 1 << 14) { range in
            GELU.forward(
                activated.pointer + range.lowerBound, expanded.pointer + range.lowerBound, count: range.count)
        }
        parameters.contraction.forward(output.matrix(C), activated.matrix(F), rows: N, workers: workers)
        output.add(residual, N * C, workers)
    }

    /// dInput [N,C] from dOutput [N,C] of the last forward pass; adds to the gradients. nil where none is wanted.
    package func backward(_ dInput: Region?, _ dOutput: Region, _ packing: Packing) {
        guard let gradients else { return }
        let N = packing.tokens
        // The MLP.
        gradients.contraction.accumulate(
            input: activated.matrix(F), dOutput: dOutput.matrix(C), rows: N, workers: workers)
        parameters.contraction.backwardInput(dWide.matrix(F), dOutput.matrix(C), rows: N, workers: workers)
        workers.forEachRange(N * F, by: 1 << 14) { range in
            let start = dWide.pointer + range.lowerBound
            GELU.backward(start, start, expanded.pointer + range.lowerBound, count: range.count)
        }
        gradients.expansion.accumulate(input: x2.matrix(C), dOutput: dWide.matrix(F), rows: N, workers: workers)
        parameters.expansion.backwardInput(dNarrow.matrix(C), dWide.matrix(F), rows: N, workers: workers)
        dResidual.copy(dOutput, N * C, workers)
        normalizeBackward(
            dResidual, dNarrow, norm2, rstd2, parameters.ln2Weight,
            dWeight: gradients.ln2Weight, dBias: gradients.ln2Bias, rows: N)
        // Attention.
        gradients.projection.accumulate(
            input: heads.matrix(C), dOutput: dResidual.matrix(C), rows: N, workers: workers)
        parameters.projection.backwardInput(dNarrow.matrix(C), dResidual.matrix(C), rows: N, workers: workers)
        eachHead(packing) { tokens, length, columns, scratch in
            let inputs = qkv.matrix(3 * C).at(row: tokens, column: columns)
            let outputs = dQKV.matrix(3 * C).at(row: tokens, column: columns)
            Attention.backward(
                dQuery: outputs, dKey: outputs.at(column: C), dValue: outputs.at(column: 2 * C),
                dOutput: dNarrow.matrix(C).at(row: tokens, column: columns),
                query: inputs, key: inputs.at(column: C), value: inputs.at(column: 2 * C),
                length: length, headWidth: C / H, scratch: scratch)
        }
        gradients.attention.accumulate(input: x1.matrix(C), dOutput: dQKV.matrix(3 * C), rows: N, workers: workers)
        parameters.attention.backwardInput(dNarrow.matrix(C), dQKV.matrix(3 * C), rows: N, workers: workers)
        dInput?.copy(dResidual, N * C, workers)
        normalizeBackward(
            dInput, dNarrow, norm1, rstd1, parameters.ln1Weight,
            dWeight: gradients.ln1Weight, dBias: gradients.ln1Bias, rows: N)
    }

    private func normalize(
        _ output: Region, _ normalized: Region, _ rstd: Region, _ input: Region, _ weight: Tensor, _ bias: Tensor,
        rows: Int
    ) {
        workers.forEachRange(rows, by: 32) { range in
            let start = range.lowerBound * C
            LayerNorm.normalize(
                normalized.pointer + start, rstd: rstd.pointer + range.lowerBound, input.pointer + start,
                rows: range.count, width: C, epsilon: epsilon)
            LayerNorm.affine(
                output.pointer + start, normalized.pointer + start, gain: weight.pointer, shift: bias.pointer,
                rows: range.count, width: C)
        }
    }

    private func normalizeBackward(
        _ dInput: Region?, _ dOutput: Region, _ normalized: Region, _ rstd: Region, _ weight: Tensor,
        dWeight: Tensor, dBias: Tensor, rows: Int
    ) {
        workers.forEachRange(C, by: 64) { columns in
            LayerNorm.backwardParameters(
                dGain: dWeight.pointer, dShift: dBias.pointer, dOutput.pointer, normalized: normalized.pointer,
                rows: rows, width: C, columns: columns)
        }
        guard let dInput else { return }
        workers.forEachRange(rows, by: 32) { range in
            let start = range.lowerBound * C
            LayerNorm.backward(
                dInput.pointer + start, dOutput.pointer + start, normalized: normalized.pointer + start,
                rstd: rstd.pointer + range.lowerBound, gain: weight.pointer, rows: range.count, width: C)
        }
    }

    /// Every head of every text: its first token, its length, its first column, scratch memory.
    private func eachHead(_ packing: Packing, _ body: (Int, Int, Int, UnsafeMutablePointer<Float>) -> Void) {
        workers.forEach(packing.rows * H) { tile, worker in
            let (row, head) = tile.quotientAndRemainder(dividingBy: H)
            body(packing.offsets[row], packing.length(row), head * (C / H), scratch[worker].pointer)
        }
    }
}
