// LayerNorm over many rows, spread over the workers.

extension Region {
    /// Rows of a tile.
    private static let tile = 32

    /// self [rows,width] = x̂ of input, rstd [rows].
    package func normalize(
        _ input: Region, rstd: Region, rows: Int, width C: Int, epsilon: Float, _ workers: Workers
    ) {
        workers.forEachRange(rows, by: Self.tile) { range in
            let start = range.lowerBound * C
            LayerNorm.normalize(
                pointer + start, rstd: rstd.pointer + range.lowerBound, input.pointer + start,
                rows: range.count, width: C, epsilon: epsilon)
        }
    }

    /// self [rows,width] = normalized ∘ gain + shift.
    package func affine(
        _ normalized: Region, gain: Tensor, shift: Tensor, rows: Int, width C: Int, _ workers: Workers
    ) {
        workers.forEachRange(rows, by: Self.tile) { range in
            let start = range.lowerBound * C
            LayerNorm.affine(
                pointer + start, normalized.pointer + start, gain: gain.pointer, shift: shift.pointer,
                rows: range.count, width: C)
        }
    }

    /// self [rows,width], a gradient of LayerNorm's input, += what comes through it from dOutput. gain nil: dOutput is
    /// the gradient of x̂ itself.
    package func addNormalizeBackward(
        _ dOutput: Region, normalized: Region, rstd: Region, gain: Tensor?, rows: Int, width C: Int,
        _ workers: Workers
    ) {
        workers.forEachRange(rows, by: Self.tile) { range in
            let start = range.lowerBound * C
            LayerNorm.backward(
                pointer + start, dOutput.pointer + start, normalized: normalized.pointer + start,
                rstd: rstd.pointer + range.lowerBound, gain: gain.map { UnsafePointer($0.pointer) },
                rows: range.count, width: C)
        }
    }

    /// With self dOutput [rows,width]: adds to the gradients of gain and shift, where they are wanted.
    package func addNormalizeGradients(
        _ gradients: NormGradient?, normalized: Region, rows: Int, width C: Int, _ workers: Workers
    ) {
        guard let gradients else { return }
        workers.forEachRange(C, by: 64) { columns in
            LayerNorm.backwardParameters(
                dGain: gradients.gain.pointer, dShift: gradients.shift.pointer, pointer,
                normalized: normalized.pointer, rows: rows, width: C, columns: columns)
        }
    }
}
