// Layer normalisation (Ba, Kiros & Hinton 2016, https://arxiv.org/abs/1607.06450), over the C numbers of a row:
//
//     x̂ = (x − mean)·rstd,   rstd = 1/√(variance + ε),   y = x̂ ∘ weight + bias
//
// It has two halves, because the last block of a classifier reads x̂ itself and absorbs weight and bias into its
// products.

/// LayerNorm of rows of C numbers, forward and backward.
package enum LayerNorm {
    /// normalized [rows,C] = x̂, rstd [rows] (nil where no backward pass follows); input [rows,C].
    package static func normalize(
        _ normalized: UnsafeMutablePointer<Float>, rstd: UnsafeMutablePointer<Float>?,
        _ input: UnsafePointer<Float>, rows: Int, width C: Int, epsilon: Float
    ) {
        for row in 0..<rows {
            let x = input + row * C
            let y = normalized + row * C
            let (mean, scale) = statistics(x, C, epsilon)
            Lanes.each(C) { i in
                y.store((x.lanes(i) - mean) * scale, i)
            } rest: { i in
                y[i] = (x[i] - mean) * scale
            }
            rstd?[row] = scale
        }
    }

    /// output [rows,C] = normalized ∘ weight + bias; output and normalized may be the same.
    package static func affine(
        _ output: UnsafeMutablePointer<Float>, _ normalized: UnsafePointer<Float>,
        weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, rows: Int, width C: Int
    ) {
        for row in 0..<rows {
            let x = normalized + row * C
            let y = output + row * C
            Lanes.each(C) { i in
                y.store(x.lanes(i) * weight.lanes(i) + bias.lanes(i), i)
            } rest: { i in
                y[i] = x[i] * weight[i] + bias[i]
            }
        }
    }

    /// Both halves at once, for passes that keep nothing: output [rows,C]; output and input may be the same.
    package static func forward(
        _ output: UnsafeMutablePointer<Float>, _ input: UnsafePointer<Float>,
        weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, rows: Int, width C: Int, epsilon: Float
    ) {
        for row in 0..<rows {
            let x = input + row * C
            let y = output + row * C
            let (mean, scale) = statistics(x, C, epsilon)
            Lanes.each(C) { i in
                y.store((x.lanes(i) - mean) * scale * weight.lanes(i) + bias.lanes(i), i)
            } rest: { i in
                y[i] = (x[i] - mean) * scale * weight[i] + bias[i]
            }
        }
    }

    /// dInput [rows,C] += (dx̂ − mean(dx̂) − x̂·mean(dx̂ ∘ x̂))·rstd, with dx̂ = dOutput ∘ weight (weight nil: dx̂ =
    /// dOutput).
    package static func backward(
        _ dInput: UnsafeMutablePointer<Float>, _ dOutput: UnsafePointer<Float>,
        normalized: UnsafePointer<Float>, rstd: UnsafePointer<Float>, weight: UnsafePointer<Float>?,
        rows: Int, width C: Int
    ) {
        for row in 0..<rows {
            let dx = dInput + row * C
            let dy = dOutput + row * C
            let x = normalized + row * C
            var sum: Float = 0
            var product: Float = 0
            var sums = Lanes()
            var products = Lanes()
            Lanes.each(C) { i in
                let d = weight.map { dy.lanes(i) * $0.lanes(i) } ?? dy.lanes(i)
                sums += d
                products += d * x.lanes(i)
            } rest: { i in
                let d = weight.map { dy[i] * $0[i] } ?? dy[i]
                sum += d
                product += d * x[i]
            }
            let mean = (sums.total() + sum) / Float(C)
            let correlation = (products.total() + product) / Float(C)
            Lanes.each(C) { i in
                let d = weight.map { dy.lanes(i) * $0.lanes(i) } ?? dy.lanes(i)
                dx.store(dx.lanes(i) + (d - mean - x.lanes(i) * correlation) * rstd[row], i)
            } rest: { i in
                let d = weight.map { dy[i] * $0[i] } ?? dy[i]
                dx[i] += (d - mean - x[i] * correlation) * rstd[row]
            }
        }
    }

    /// dWeight [C] += Σ dOutput ∘ normalized, dBias [C] += Σ dOutput, summed over rows in their order, for `columns`.
    package static func backwardParameters(
        dWeight: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>, _ dOutput: UnsafePointer<Float>,
        normalized: UnsafePointer<Float>, rows: Int, width C: Int, columns: Range<Int>
    ) {
        for row in 0..<rows {
            let dy = dOutput + row * C
            let x = normalized + row * C
            for i in columns {
                dWeight[i] += dy[i] * x[i]
                dBias[i] += dy[i]
            }
        }
    }

    @inline(__always) private static func statistics(
        _ x: UnsafePointer<Float>, _ C: Int, _ epsilon: Float
    ) -> (mean: Float, rstd: Float) {
        var sums = Lanes()
        let rest = Lanes.each(C) { i in
            sums += x.lanes(i)
        }
        var sum = sums.total()
        for i in rest {
            sum += x[i]
        }
        let mean = sum / Float(C)
        var squares = Lanes()
        let squaresRest = Lanes.each(C) { i in
            let d = x.lanes(i) - mean
            squares += d * d
        }
        var square = squares.total()
        for i in squaresRest {
            let d = x[i] - mean
            square += d * d
        }
        return (mean, 1 / (square / Float(C) + epsilon).squareRoot())
    }
}
