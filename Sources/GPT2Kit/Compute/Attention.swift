// Multi-head attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, §3.2) of one head over one text.
//
//     S = Q·Kᵀ/√d,   P = softmax(S) over the positions up to the query's (all without causal mask),   O = P·V
//
// Queries run in blocks of rows, each against the keys up to its end. Little of what the causal mask hides is computed,
// and the scores of a block stay in the cache. The backward pass computes P again instead of keeping T² numbers. With
// dropout, O = D(P)·V.

/// Attention of one head over one text, forward and backward.
package enum Attention {
    /// The number of queries in a block.
    private static let block = 64

    /// Floats of scratch memory for texts of up to `length` positions.
    package static func scratchCount(length: Int) -> Int { 3 * block * length }

    /// output [T,d] from query, key, value [T,d], whose strides are those of the packed `c_attn` output.
    package static func forward(
        _ output: Matrix, query: Matrix, key: Matrix, value: Matrix, length T: Int, headWidth d: Int,
        isCausal: Bool = true, dropout: HeadDropout? = nil, scratch: UnsafeMutablePointer<Float>
    ) {
        for first in stride(from: 0, to: T, by: block) {
            let rows = min(block, T - first)
            let last = isCausal ? first + rows : T
            let p = Matrix(scratch, stride: last)
            softmax(p, query: query, key: key, first: first, rows: rows, last: last, d, isCausal: isCausal)
            if let dropout {
                for row in 0..<rows {
                    dropout.drop(scratch + row * last, count: isCausal ? first + row + 1 : T, query: first + row)
                }
            }
            matmul(output.at(row: first), p, value, m: rows, n: d, k: last)
        }
    }

    /// p [rows,last] = the attention weights of the queries from `first` on, over the keys before `last`.
    @inline(__always)
    private static func softmax(
        _ p: Matrix, query: Matrix, key: Matrix, first: Int, rows: Int, last: Int, _ d: Int, isCausal: Bool
    ) {
        matmul(
            p, query.at(row: first), key, m: rows, n: last, k: d, transposeB: true, scale: 1 / Float(d).squareRoot())
        for row in 0..<rows {
            Softmax.causal(p.pointer + row * last, visible: isCausal ? first + row + 1 : last, count: last)
        }
    }

    /// Sets dQuery, dKey, dValue [T,d] from dOutput [T,d].
    package static func backward(
        dQuery: Matrix, dKey: Matrix, dValue: Matrix, dOutput: Matrix,
        query: Matrix, key: Matrix, value: Matrix, length T: Int, headWidth d: Int,
        isCausal: Bool = true, dropout: HeadDropout? = nil, scratch: UnsafeMutablePointer<Float>
    ) {
        let scale = 1 / Float(d).squareRoot()
        for row in 0..<T {
            (dKey.pointer + row * dKey.stride).update(repeating: 0, count: d)
            (dValue.pointer + row * dValue.stride).update(repeating: 0, count: d)
        }
        for first in stride(from: 0, to: T, by: block) {
            let rows = min(block, T - first)
            let last = isCausal ? first + rows : T
            let p = Matrix(scratch, stride: last)
            let dP = Matrix(scratch + block * T, stride: last)
            softmax(p, query: query, key: key, first: first, rows: rows, last: last, d, isCausal: isCausal)
            matmul(dP, dOutput.at(row: first), value, m: rows, n: last, k: d, transposeB: true)
            var dropped = p
            if let dropout {
                // One mask for the weights and for their gradient.
                dropped = Matrix(scratch + 2 * block * T, stride: last)
                dropped.pointer.update(repeating: 0, count: rows * last)
                for row in 0..<rows {
                    let (start, visible) = (row * last, isCausal ? first + row + 1 : T)
                    let mask = dropped.pointer + start
                    mask.update(repeating: 1, count: visible)
                    dropout.drop(mask, count: visible, query: first + row)
                    hadamard(dP.pointer + start, dP.pointer + start, mask, visible)
                    hadamard(mask, p.pointer + start, mask, visible)
                }
            }
            matmul(dValue, dropped, dOutput.at(row: first), m: last, n: d, k: rows, transposeA: true, keep: 1)
            for row in 0..<rows {
                Softmax.backward(dP.pointer + row * last, probabilities: p.pointer + row * last, count: last)
            }
            matmul(dQuery.at(row: first), dP, key, m: rows, n: d, k: last, scale: scale)
            matmul(dKey, dP, query.at(row: first), m: last, n: d, k: rows, transposeA: true, scale: scale, keep: 1)
        }
    }
}
