// Which records of an input belong together.

/// Numbers the groups of records while they come.
struct RecordGroups {
    private let grouping: Splitter.Grouping
    private var texts: [UInt64: Int] = [:]
    private var near: NearCopies
    private var records = 0
    /// Of every group one that it was merged with, or itself.
    private var parents: [Int] = []
    /// Bytes that a group takes: its number by its hash, or the group that it was merged with, in tables that are copied to
    /// grow; and the array of its records while these are dealt out.
    private static let overhead = 128

    init(_ grouping: Splitter.Grouping, source: String) {
        self.grouping = grouping
        let similarity = if case .nearCopies(let similarity) = grouping { similarity } else { 1.0 }
        near = NearCopies(similarity: similarity, source: source)
    }

    /// The memory that the groups take, and the texts that are kept to find near copies.
    var byteCount: Int { near.byteCount + (texts.count + parents.count) * Self.overhead }

    /// The group of the next record.
    ///
    /// - Parameter text: folded; not looked at where nothing is grouped.
    /// - Returns: its number, which a later record may merge with others; and the numbers of the groups before that the record
    ///   is a near copy of.
    mutating func add(_ text: [UInt8], line: Int) throws(StreamError) -> (number: Int, copies: [Int]) {
        switch grouping {
        case .none:
            records += 1
            return (records - 1, [])
        case .equalTexts:
            let hash = NearCopies.hash(text)
            if let number = texts[hash] { return (number, []) }
            texts[hash] = texts.count
            return (texts.count - 1, [])
        case .nearCopies:
            let (number, copies) = try near.add(text, line: line)
            if number == parents.count { parents.append(number) }
            for copy in copies { join(number, copy) }
            return (number, copies)
        }
    }

    /// Gives merged groups one number.
    mutating func merge(_ groupOfRecord: inout [Int]) {
        guard !parents.isEmpty else { return }
        for index in groupOfRecord.indices { groupOfRecord[index] = root(groupOfRecord[index]) }
    }

    /// The first of the groups that `group` was merged with. Whoever is met on the way is led past every other one (path
    /// halving, Tarjan & van Leeuwen 1984), so that no order of the records makes long chains.
    private mutating func root(_ group: Int) -> Int {
        var group = group
        while parents[group] != group {
            parents[group] = parents[parents[group]]
            group = parents[group]
        }
        return group
    }

    private mutating func join(_ a: Int, _ b: Int) {
        let (a, b) = (root(a), root(b))
        let least = min(a, b)
        parents[a] = least
        parents[b] = least
    }
}
