// Which records of an input belong together.

/// Numbers the groups of records while they come.
struct RecordGroups {
    private let grouping: Splitter.Grouping
    private var texts: [UInt64: Int] = [:]
    private var near: NearCopies
    private var records = 0
    /// Of every group one that it was merged with, or itself.
    private var parents: [Int] = []

    init(_ grouping: Splitter.Grouping, source: String, maximumMemory: Int) {
        self.grouping = grouping
        let similarity = if case .nearCopies(let similarity) = grouping { similarity } else { 1.0 }
        near = NearCopies(similarity: similarity, source: source, maximumMemory: maximumMemory)
    }

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
    func merge(_ groupOfRecord: inout [Int]) {
        guard !parents.isEmpty else { return }
        for index in groupOfRecord.indices { groupOfRecord[index] = root(groupOfRecord[index]) }
    }

    private func root(_ group: Int) -> Int {
        var group = group
        while parents[group] != group { group = parents[group] }
        return group
    }

    private mutating func join(_ a: Int, _ b: Int) {
        let (a, b) = (root(a), root(b))
        let least = min(a, b)
        parents[a] = least
        parents[b] = least
    }
}
