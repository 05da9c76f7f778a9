// Merging of pieces without end (a line of a million letters) block by block, with the tokens of the whole piece.
//
// Merging takes the pair of lowest rank, the leftmost first. As long as no merge crosses a place, both of its sides
// are merged as if each were alone. Two facts follow, for any table of merges:
// - Where a token of the whole piece ends, the tokens up to there are those of the bytes up to there.
// - A place is such an end if the last token of its left side and the first token of its right side, merged by
//   themselves, stay these two: only merges inside of these two decide what meets at the place, and when.
// The right side is long. But no token has more than n bytes, so that of n beginnings of the right side, each a byte
// longer than the one before, one ends where a token ends, and has the first token of the whole right side.

extension PieceMerger {
    /// Ends of tokens that are tried before the block is doubled.
    private static let attempts = 8

    /// Appends the tokens of `piece` to `ids`, or as many of the first of them as bring it to `limit` or somewhat beyond.
    ///
    /// - Parameter leastBlock: bytes of a block, or more where tokens are long.
    /// - Complexity: O(n log n) for a piece of n bytes; memory for a block of it.
    mutating func mergeInBlocks(
        _ piece: UnsafeBufferPointer<UInt8>, of leastBlock: Int, tokenizer: Tokenizer, merges: MergeTable.View,
        limit: Int, into ids: inout [Int32]
    ) {
        let longest = tokenizer.longestToken
        // Trying a place merges `longest` texts of less than twice that length, which is to cost less than the block.
        let least = longest < 1 << 20 ? max(leastBlock, 2 * longest * longest) : .max
        var start = 0
        var size = least
        tokenizer.byteTokens.withUnsafeBufferPointer { byteTokens in
            let byteTokens = byteTokens.baseAddress!
            while piece.count - start > size, ids.count < limit {
                let first = ids.count
                let block = start..<start + size
                merge(piece.slice(block), byteTokens: byteTokens, merges: merges, into: &ids)
                // What follows the block changes what is near its end.
                var end = block.upperBound
                while ids.count > first, end > block.upperBound - longest { end -= tokenizer.length(ids.removeLast()) }
                var attempt = 0
                while ids.count > first, attempt < Self.attempts,
                    !isEnd(end, of: ids[ids.count - 1], in: piece, tokenizer, byteTokens, merges)
                {
                    end -= tokenizer.length(ids.removeLast())
                    attempt += 1
                }
                if ids.count > first, attempt < Self.attempts {
                    start = end
                    size = least
                } else {
                    ids.removeLast(ids.count - first)
                    size *= 2
                }
            }
            if ids.count < limit {
                merge(piece.slice(start..<piece.count), byteTokens: byteTokens, merges: merges, into: &ids)
            }
        }
    }

    /// Whether a token of the whole piece ends at `end`, where `left` is the last token of what is before `end`.
    private mutating func isEnd(
        _ end: Int, of left: Int32, in piece: UnsafeBufferPointer<UInt8>, _ tokenizer: Tokenizer,
        _ byteTokens: UnsafePointer<UInt32>, _ merges: MergeTable.View
    ) -> Bool {
        let longest = tokenizer.longestToken
        var ids: [Int32] = []
        var known: Set<Int32> = []
        for length in longest..<2 * longest {
            ids.removeAll(keepingCapacity: true)
            let right = end..<min(end + length, piece.count)
            merge(piece.slice(right), byteTokens: byteTokens, merges: merges, into: &ids)
            guard known.insert(ids[0]).inserted else { continue }
            let pair = end - tokenizer.length(left)..<end + tokenizer.length(ids[0])
            ids.removeAll(keepingCapacity: true)
            merge(piece.slice(pair), byteTokens: byteTokens, merges: merges, into: &ids)
            if ids[0] != left { return false }
        }
        return true
    }
}

extension UnsafeBufferPointer {
    fileprivate func slice(_ range: Range<Int>) -> Self { Self(rebasing: self[range]) }
}
