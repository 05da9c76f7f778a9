// Dropout (Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html) at GPT-2's three places: the
// embeddings, the attention weights after their softmax, and what each half of a block adds to the residual stream
// (`embd_pdrop`, `attn_pdrop`, `resid_pdrop` of Hugging Face's configurations). A number is set to 0 with probability
// p, otherwise divided by 1 − p.
//
// Whether a number is dropped depends only on the seed, the training step, the text's row in the training set, the
// block, the place and the number's index. Neither the threads nor the other texts of the batch matter. Nothing is
// stored: the backward pass draws the same numbers again. In Philox's terms, with p as ⌊p·2³²⌉:
//
//     key      seed, low and high 32 bits
//     counter  index / 4, 4·block + place, row, step
//     dropped  where word[index % 4] < p
//
// The index of a number in hidden states is position·C + channel; of an attention weight it is (head·T + query)·T +
// key, where T counts the text's positions.

/// Which numbers are dropped in one batch.
package struct Dropout: Sendable {
    /// Where numbers are dropped. The raw value goes into the counter of the random numbers.
    package enum Place: UInt32, Sendable {
        /// The sums of token and position embeddings (`embd_pdrop`).
        case embeddings = 0
        /// The attention weights, after their softmax (`attn_pdrop`).
        case attentionWeights = 1
        /// The output of attn.c_proj (`resid_pdrop`).
        case attention = 2
        /// The output of mlp.c_proj (`resid_pdrop`).
        case mlp = 3
    }

    private let threshold: UInt32
    private let scale: Float
    private let key: SIMD2<UInt32>
    private let step: UInt32
    /// The row in the training set of every text of the batch.
    private let rows: [Int]

    /// - Parameter probability: 0 ..< 1.
    package init(probability: Double, seed: UInt64, step: Int, rows: [Int]) {
        threshold = Philox.threshold(probability)
        scale = Float(1 / (1 - probability))
        key = Philox.key(seed)
        self.step = UInt32(truncatingIfNeeded: step)
        self.rows = rows
    }

    /// Drops some of `count` numbers of a text of the batch; the first number has the index `index`.
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

    /// Drops some of the first `count` weights [T] of the query at position `query`.
    package func drop(_ weights: UnsafeMutablePointer<Float>, count: Int, query: Int) {
        dropout.drop(
            weights, count: count, from: (head * T + query) * T, text: text, block: block, .attentionWeights)
    }
}
