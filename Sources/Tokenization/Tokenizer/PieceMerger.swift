// Byte-pair merging of one piece: the pair of lowest rank is merged, the leftmost first, until none is left.
// Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units" (2016), as GPT-2 has it.
// Two ways with one result: rescanning for short pieces, a heap over a linked list for long ones.

/// Scratch memory for merging, reused from piece to piece.
struct PieceMerger: Sendable {
    private var tokens: [UInt32] = []
    /// The rank of the merge of a token with the next one.
    private var ranks: [UInt32] = []
    private var previous: [UInt32] = []
    private var next: [UInt32] = []
    /// Rank and position, rank first; a binary heap with the smallest at the top.
    private var heap: [UInt64] = []

    /// Pieces of up to this many bytes are rescanned: quadratic, and faster there.
    private static let shortest = 48

    /// Appends the tokens of `piece` to `ids`.
    mutating func merge(
        _ piece: UnsafeBufferPointer<UInt8>, byteTokens: UnsafePointer<UInt32>, merges: MergeTable.View,
        into ids: inout [Int32]
    ) {
        let count = piece.count
        if count == 1 {
            ids.append(Int32(bitPattern: byteTokens[Int(piece[0])]))
        } else if count <= Self.shortest {
            mergeShort(piece, byteTokens: byteTokens, merges: merges, into: &ids)
        } else {
            mergeLong(piece, byteTokens: byteTokens, merges: merges, into: &ids)
        }
    }

    private func mergeShort(
        _ piece: UnsafeBufferPointer<UInt8>, byteTokens: UnsafePointer<UInt32>, merges: MergeTable.View,
        into ids: inout [Int32]
    ) {
        // Rank and merged token of each pair side by side, on the stack.
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 3 * Self.shortest) { scratch in
            let tokens = scratch.baseAddress!
            let ranks = tokens + Self.shortest
            let merged = ranks + Self.shortest
            var count = piece.count
            for index in 0..<count { tokens[index] = byteTokens[Int(piece[index])] }
            for index in 0..<count - 1 {
                (ranks[index], merged[index]) = merges.find(tokens[index], tokens[index + 1])
            }
            while count > 1 {
                var best = 0
                var bestRank = ranks[0]
                for index in 1..<max(1, count - 1) where ranks[index] < bestRank {
                    best = index
                    bestRank = ranks[index]
                }
                if bestRank == MergeTable.noRank { break }
                tokens[best] = merged[best]
                count -= 1
                for index in best + 1..<max(best + 1, count) {
                    tokens[index] = tokens[index + 1]
                    ranks[index] = ranks[index + 1]
                    merged[index] = merged[index + 1]
                }
                if best + 1 < count {
                    (ranks[best], merged[best]) = merges.find(tokens[best], tokens[best + 1])
                } else {
                    ranks[best] = MergeTable.noRank
                }
                if best > 0 {
                    (ranks[best - 1], merged[best - 1]) = merges.find(tokens[best - 1], tokens[best])
                }
            }
            for index in 0..<count { ids.append(Int32(bitPattern: tokens[index])) }
        }
    }

    /// O(n log n) for n bytes.
    private mutating func mergeLong(
        _ piece: UnsafeBufferPointer<UInt8>, byteTokens: UnsafePointer<UInt32>, merges: MergeTable.View,
        into ids: inout [Int32]
    ) {
        let count = piece.count
        let none = UInt32.max
        tokens = piece.map { byteTokens[Int($0)] }
        ranks = (0..<count).map { $0 + 1 < count ? merges.find(tokens[$0], tokens[$0 + 1]).rank : MergeTable.noRank }
        previous = (0..<count).map { $0 == 0 ? none : UInt32($0 - 1) }
        next = (0..<count).map { $0 + 1 < count ? UInt32($0 + 1) : none }
        heap.removeAll(keepingCapacity: true)
        for position in 0..<count where ranks[position] != MergeTable.noRank {
            heap.append(UInt64(ranks[position]) << 32 | UInt64(position))
        }
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }

        while let top = popSmallest() {
            let position = Int(top & 0xFFFF_FFFF)
            // Entries aren't removed when a pair changes; they no longer agree with `ranks` then.
            guard ranks[position] == UInt32(top >> 32) else { continue }
            let right = Int(next[position])
            tokens[position] = merges.find(tokens[position], tokens[right]).token
            ranks[right] = MergeTable.noRank
            next[position] = next[right]
            if next[position] != none { previous[Int(next[position])] = UInt32(position) }
            update(position, merges)
            if previous[position] != none { update(Int(previous[position]), merges) }
        }
        var position = UInt32(0)
        while position != none {
            ids.append(Int32(bitPattern: tokens[Int(position)]))
            position = next[Int(position)]
        }
        if count > 1 << 16 { self = PieceMerger() }
    }

    private mutating func update(_ position: Int, _ merges: MergeTable.View) {
        let right = next[position]
        let rank = right == .max ? MergeTable.noRank : merges.find(tokens[position], tokens[Int(right)]).rank
        ranks[position] = rank
        guard rank != MergeTable.noRank else { return }
        heap.append(UInt64(rank) << 32 | UInt64(position))
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            if heap[parent] <= heap[index] { break }
            heap.swapAt(parent, index)
            index = parent
        }
    }

    private mutating func popSmallest() -> UInt64? {
        guard let top = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            siftDown(0)
        }
        return top
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            if child >= heap.count { return }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            if heap[index] <= heap[child] { return }
            heap.swapAt(index, child)
            index = child
        }
    }
}
