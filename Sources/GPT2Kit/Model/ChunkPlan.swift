// Cuts texts into chunks for the cores. All cores get the same work, and as few rows of tiles as possible stay empty. A
// text's result doesn't depend on its chunk.

/// The chunks of some texts.
package struct ChunkPlan: Sendable {
    /// The indices of all texts: chunk after chunk, and within a chunk the longest first.
    package let order: [Int]
    /// Ranges of ``order``.
    package let chunks: [Range<Int>]

    /// - Parameters:
    ///   - lengths: tokens of every text, at least 1.
    ///   - tokens: the most that a chunk has, whole tiles; a longer text is a chunk of its own.
    ///   - tile: rows that are computed at a time.
    ///   - workers: the number of workers that share the chunks.
    /// - Complexity: O(n + chunks · longest).
    package init(lengths: [Int], tokens limit: Int, tile: Int, workers: Int) {
        // Texts by length; the lowest index of a length is taken first.
        var byLength = [[Int]](repeating: [], count: (lengths.max() ?? 0) + 1)
        for index in lengths.indices.reversed() { byLength[lengths[index]].append(index) }

        // All workers get the same number of chunks. The chunks have the same number of tiles, or one more.
        let tiles = lengths.reduce(0) { $0 + $1 } / tile + 1
        let perWorker = (tiles * tile + limit * workers - 1) / (limit * workers)
        let count = min(tiles, perWorker * workers)

        var order: [Int] = []
        order.reserveCapacity(lengths.count)
        var chunks: [Range<Int>] = []
        var longest = byLength.count - 1
        while order.count < lengths.count {
            while byLength[longest].isEmpty { longest -= 1 }
            let place = chunks.count % count
            var room = ((place + 1) * tiles / count - place * tiles / count) * tile
            let first = order.count
            // The longest text that fits, again and again: short texts fill the room that long ones leave.
            var length = longest
            while length > 0 {
                guard length <= room || order.count == first, let index = byLength[length].popLast() else {
                    length = min(length - 1, max(room, 0))
                    continue
                }
                order.append(index)
                room -= length
                if length > room { length = max(room, 0) }
            }
            chunks.append(first..<order.count)
        }
        self.order = order
        self.chunks = chunks
    }
}
