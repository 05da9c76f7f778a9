// LayerNorm over many rows, spread over the workers.

extension FloatView {
    /// Rows of a tile.
    private static let tile = 32

    /// self [rows,width] = x̂ of input [rows,width]; sets rstd [rows] too.
    package func normalize(
        _ input: FloatView, rstd: FloatView, rows: Int, width C: Int, epsilon: Float, _ workers: Workers
    ) {
        workers.forEachRange(rows, by: Self.tile) { range in
            let start = range.lowerBound * C
            LayerNorm.normalize(
                pointer + start, rstd: rstd.pointer + range.lowerBound, input.pointer + start,
                rows: range.count, width: C, epsilon: epsilon)
        }
    }

    /// self [rows,width] = normalized ∘ weight + bias.
    package func affine(
        _ normalized: FloatView, weight: Tensor, bias: Tensor, rows: Int, width C: Int, _ workers: Workers
    ) {
        workers.forEachRange(rows, by: Self.tile) { range in
            let start = range.lowerBound * C
            LayerNorm.affine(
                pointer + start, normalized.pointer + start, weight: weight.pointer, bias: bias.pointer,
                rows: range.count, width: C)
        }
    }

    /// self [rows,width] += the gradient of LayerNorm's input that follows from dOutput [rows,width].
    ///
    /// - Parameter weight: [width]; nil where dOutput is the gradient of x̂ itself.
    package func addNormalizeBackward(
        _ dOutput: FloatView, normalized: FloatView, rstd: FloatView, weight: Tensor?, rows: Int, width C: Int,
        _ workers: Workers
    ) {
        workers.forEachRange(rows, by: Self.tile) { range in
            let start = range.lowerBound * C
            LayerNorm.backward(
                pointer + start, dOutput.pointer + start, normalized: normalized.pointer + start,
                rstd: rstd.pointer + range.lowerBound, weight: weight?.pointer,
                rows: range.count, width: C)
        }
    }

    /// Adds to the gradients of weight and bias, where they are wanted. self is dOutput [rows,width].
    package func addNormalizeGradients(
        _ gradients: LayerNormGradient?, normalized: FloatView, rows: Int, width C: Int, _ workers: Workers
    ) {
        guard let gradients else { return }
        workers.forEachRange(C, by: 64) { columns in
            LayerNorm.backwardParameters(
                dWeight: gradients.weight.mutablePointer, dBias: gradients.bias.mutablePointer, pointer,
                normalized: normalized.pointer, rows: rows, width: C, columns: columns)
        }
    }
}

/// The gradients of a LayerNorm.
package struct LayerNormGradient {
    /// That of the weight, [C].
    package let weight: Tensor
    /// That of the bias, [C].
    package let bias: Tensor
}
