// Dropout (Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html) at GPT-2's three places: what the
// embeddings give, the attention weights after their softmax, and what each half of a block adds to the residual stream
// (`embd_pdrop`, `attn_pdrop`, `resid_pdrop` of Hugging Face's configurations). A number is set to 0 with probability p,
// otherwise divided by 1 − p.
//
// Whether a number is dropped is a function of the seed, the training step, the text's row in the training set, the
// block, the place and the number's index, and of nothing else: not of the threads, nor of the batch that the text is in.
// Nothing is stored: the backward pass asks again. In Philox's terms, with p as ⌊p·2³²⌉:
//
//     key      seed, low and high 32 bits
//     counter  index / 4, 4·block + place, row, step
//     dropped  where word[index % 4] < p
//
// Indices: of hidden states position·C + channel; of attention weights (head·T + query)·T + key, with T positions of
// the text.

/// Which numbers are dropped in one batch.
package struct Dropout: Sendable {
    package enum Place: UInt32, Sendable {
        case embeddings = 0
        case attentionWeights = 1
        case attention = 2  // after attn.c_proj
        case mlp = 3  // after mlp.c_proj
    }

    private let threshold: UInt32
    private let scale: Float
    private let key: SIMD2<UInt32>
    private let step: UInt32
    /// The row in the training set of every text of the batch.
    private let rows: [Int]

    /// - Parameter probability: 0 ..< 1.
    package init(probability: Double, seed: UInt64, step: Int, rows: [Int]) {
        threshold = UInt32(clamping: Int((probability * 0x1p32).rounded()))
        scale = Float(1 / (1 - probability))
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        self.step = UInt32(truncatingIfNeeded: step)
        self.rows = rows
    }

    /// Drops among `count` numbers of a text of the batch, the first of which has `index`.
    package func drop(
        _ numbers: UnsafeMutablePointer<Float>, count: Int, from index: Int, text: Int, block: Int, _ place: Place
    ) {
        let row = UInt32(truncatingIfNeeded: rows[text])
        let site = UInt32(truncatingIfNeeded: 4 * block) + place.rawValue
        var i = 0
        while i < count {
            let (counter, lane) = (index + i).quotientAndRemainder(dividingBy: 4)
            let words = Philox.words(SIMD4(UInt32(truncatingIfNeeded: counter), site, row, step), key: key)
            for lane in lane..<min(4, lane + count - i) {
                numbers[i] *= words[lane] < threshold ? 0 : scale
                i += 1
            }
        }
    }
}

/// Dropout among the attention weights of one head.
package struct HeadDropout: Sendable {
    let dropout: Dropout
    let block: Int, text: Int, head: Int, T: Int

    /// Drops among the first `count` weights [T] of the query at a position.
    package func drop(_ weights: UnsafeMutablePointer<Float>, count: Int, query: Int) {
        dropout.drop(
            weights, count: count, from: (head * T + query) * T, text: text, block: block, .attentionWeights)
    }
}
