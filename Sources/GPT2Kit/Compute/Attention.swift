// Multi-head attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, §3.2) of one head over one text.
//
//     S = Q·Kᵀ/√d,   P = softmax(S) over the positions up to the query's (all without causal mask),   O = P·V
//
// Queries run in blocks of rows, each against the keys up to its end. Little of what the causal mask hides is computed,
// and the scores of a block stay in the cache. ``TrainedAttention`` computes the same, and its gradients.

/// Attention of one head over one text, forward alone.
package enum Attention {
    /// The number of queries in a block.
    private static let block = 64

    /// Floats of scratch memory for texts of up to `length` positions.
    package static func scratchCount(length: Int) -> Int { block * length }

    /// output [T,d] from query [T,d] and key, value [past+T,d], whose strides are those of the packed `c_attn` output.
    ///
    /// - Parameter past: positions before those of the queries, which all of these see.
    package static func forward(
        _ output: Matrix, query: Matrix, key: Matrix, value: Matrix, length T: Int, past: Int = 0, headWidth d: Int,
        isCausal: Bool = true, scratch: UnsafeMutablePointer<Float>
    ) {
        for first in stride(from: 0, to: T, by: block) {
            let rows = min(block, T - first)
            let last = past + (isCausal ? first + rows : T)
            let p = Matrix(scratch, stride: last)
            softmax(
                p, query: query.at(row: first), key: key, first: past + first, rows: rows, last: last, d,
                isCausal: isCausal)
            smallMatmul(output.at(row: first), p, value, m: rows, n: d, k: last)
        }
    }

    /// p [rows,last] = the attention weights of the queries, whose positions are those from `first` on, over the keys before
    /// `last`.
    @inline(__always)
    private static func softmax(
        _ p: Matrix, query: Matrix, key: Matrix, first: Int, rows: Int, last: Int, _ d: Int, isCausal: Bool
    ) {
        smallMatmul(
            p, query, key, m: rows, n: last, k: d, transposeB: true, scale: 1 / Float(d).squareRoot())
        for row in 0..<rows {
            Softmax.causal(p.pointer + row * last, visible: isCausal ? first + row + 1 : last, count: last)
        }
    }
}
