// Scores of texts that were edited in one place. With the causal mask the states before that place stay as they are.

import Tokenization

extension Scorer {
    /// The scores of a text and of edited copies of it, each as ``score(_:)`` gives it up to rounding (1e-5 in a probability in
    /// f32). What a copy shares with the beginning of the text isn't computed again.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - edits: copies, valid UTF-8; each is made once, and not kept.
    /// - Throws: as ``score(_:)`` does.
    public func score(_ text: [UInt8], edits: some Sequence<[UInt8]>) throws -> (text: Score, edits: [Score]) {
        let whole = cut(encode(text[...]))
        // Of a copy that is longer than the model reads, the text is the one to be counted.
        let (copies, places) = Self.distinct(edits.map { padded(encode($0[...]).prefix(classifier.paddedLength)) })
        let (C, K) = (classifier.config.width, classifier.labels.count)
        let beginning = try TextBeginning(count: whole.count, blocks: blocks.count, width: C)
        let states = try FloatBuffer(count: whole.count * C)
        try blocks.run(
            FloatView(states.pointer), tokens: whole, count: whole.count, recording: beginning, worker: 0)
        let logits = try FloatBuffer(count: (1 + copies.count) * K)
        try tail.logits(
            FloatView(logits.pointer), hidden: FloatView(states.pointer), TextLayout(lengths: [whole.count]), worker: 0)

        // The rest of a copy has a token at least: the state of a last token depends on nothing behind it, but is needed.
        let pasts = copies.map { copy in
            classifier.config.isCausal
                ? min(zip(whole, copy).prefix { $0 == $1 }.count, copy.count - 1) : 0
        }
        let plan = ChunkPlan(
            lengths: zip(copies, pasts).map { $0.count - $1 }, tokens: InferenceBlocks.chunkTokens,
            tile: PrepackedLinear.tileRows, workers: workers.count)
        let failure = FirstFailure()
        workers.forEach(plan.chunks.count) { [blocks, tail] chunk, worker in
            failure.catching {
                let rows = Array(plan.order[plan.chunks[chunk]])
                let rests = TextLayout(lengths: rows.map { copies[$0].count - pasts[$0] })
                let rest = try FloatBuffer(count: rests.tokens * C)
                try blocks.run(
                    FloatView(rest.pointer), tokens: rows.flatMap { copies[$0].dropFirst(pasts[$0]) }, rests,
                    after: beginning, pasts: rows.map { pasts[$0] }, worker: worker)
                // The tail reads whole texts.
                let layout = TextLayout(lengths: rows.map { copies[$0].count })
                let hidden = try FloatBuffer(count: layout.tokens * C)
                for (place, row) in rows.enumerated() {
                    let target = hidden.pointer + layout.offsets[place] * C
                    target.update(from: states.pointer, count: pasts[row] * C)
                    (target + pasts[row] * C).update(
                        from: rest.pointer + rests.offsets[place] * C, count: rests.length(place) * C)
                }
                let results = try FloatBuffer(count: rows.count * K)
                try tail.logits(
                    FloatView(results.pointer), hidden: FloatView(hidden.pointer), layout, worker: worker)
                for (place, row) in rows.enumerated() {
                    (logits.pointer + (1 + row) * K).update(from: results.pointer + place * K, count: K)
                }
                withExtendedLifetime((rest, hidden, results)) {}
            }
        }
        try failure.rethrow()
        guard logits.values.allSatisfy(\.isFinite) else {
            throw ModelError.notFinite("score (the logits of a text)", file: classifier.origin)
        }
        let scores = (0...copies.count).map { row in
            score(logits: UnsafeBufferPointer(start: logits.pointer + row * K, count: K))
        }
        withExtendedLifetime((states, logits, beginning)) {}
        return (scores[0], places.map { scores[1 + $0] })
    }

    /// How many bytes of `text`, valid UTF-8, the model reads.
    func readLength(of text: [UInt8]) -> Int {
        let ids = encode(text[...])
        let T = classifier.paddedLength
        return ids.count > T ? ids.prefix(T).reduce(0) { $0 + classifier.tokenizer.length($1) } : text.count
    }

    /// No text needs more bytes to fill the model, and one token more.
    var mostBytes: Int { (classifier.paddedLength + 1) * classifier.tokenizer.longestToken }
}
