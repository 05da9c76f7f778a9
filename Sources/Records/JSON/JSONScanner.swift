// Validates a whole JSON text (RFC 8259, strictly) and finds the members of the outermost object, without building any of
// them: a filter that needs one key of ten decodes that one.

/// Validates JSON texts and finds the members of objects. Keep one and use it again: it reuses its memory.
public struct JSONScanner {
    /// Arrays and objects may be nested this deep.
    public static let maximumDepth = 512
    /// An object has at most this many members: each takes many times the bytes of a short one.
    public static let maximumMembers = 65_536

    /// One key of the outermost object and its value, as ranges of the scanned bytes.
    public struct Member: Sendable, Equatable {
        /// Without the quotes.
        public var key: Range<Int>
        /// True for a key with a backslash: then its bytes aren't its text.
        public var keyHasEscapes: Bool
        /// With the quotes where it is a string.
        public var value: Range<Int>
        /// What the value is.
        public var kind: JSONValueKind
        /// True for a string with a backslash: then its bytes aren't its text.
        public var hasEscapes: Bool
    }

    /// The members of the object that was scanned last, in order.
    public var members: [Member] { found.members }
    private var found = OutermostMembers()

    /// A scanner that has scanned nothing yet.
    public init() {}

    /// Validates `bytes` as one JSON object and finds its ``members``. Linear time.
    ///
    /// - Throws: ``JSONError``, whose offset is into `bytes`.
    public mutating func scanObject(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        found.removeAll()
        var lexer = JSONLexer(bytes)
        guard let first = lexer.skipWhitespace() else { throw JSONError(.unexpectedEnd, at: 0) }
        try lexer.walk(&found, maximumDepth: Self.maximumDepth)
        guard first == UInt8(ascii: "{") else { throw JSONError(.notAnObject, at: 0) }
        if lexer.skipWhitespace() != nil { throw JSONError(.trailingBytes, at: lexer.position) }
        try rejectDuplicates(bytes)
    }

    private func rejectDuplicates(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        if members.count <= 12, !members.contains(where: \.keyHasEscapes) {
            for (index, member) in members.enumerated() {
                for earlier in members[..<index] where earlier.key.count == member.key.count {
                    if bytes[earlier.key].elementsEqual(bytes[member.key]) {
                        throw JSONError(.duplicateKey, at: member.key.lowerBound)
                    }
                }
            }
            return
        }
        var seen = Set<[UInt8]>(minimumCapacity: members.count)
        for member in members {
            let key = JSONLexer.decoded(bytes[member.key], hasEscapes: member.keyHasEscapes)
            if !seen.insert(key).inserted { throw JSONError(.duplicateKey, at: member.key.lowerBound) }
        }
    }
}

/// Remembers where the members of the outermost object are.
private struct OutermostMembers: JSONVisitor {
    private(set) var members: [JSONScanner.Member] = []
    private var member = JSONScanner.Member(
        key: 0..<0, keyHasEscapes: false, value: 0..<0, kind: .null, hasEscapes: false)
    private var depth = 0
    private var start = 0
    private var isObject = false

    mutating func removeAll() {
        members.removeAll(keepingCapacity: true)
        depth = 0
    }

    @inline(__always)
    mutating func begin(isObject: Bool, at position: Int) {
        if depth == 0 { self.isObject = isObject }
        if depth == 1 { start = position }
        depth += 1
    }

    @inline(__always)
    mutating func end(isObject: Bool, before end: Int) {
        depth -= 1
        if depth == 1 { add(isObject ? .object : .array, start..<end, hasEscapes: false) }
    }

    @inline(__always)
    mutating func key(_ range: Range<Int>, hasEscapes: Bool) throws(JSONError) {
        guard depth == 1 else { return }
        guard members.count < JSONScanner.maximumMembers else {
            throw JSONError(.tooManyMembers, at: range.lowerBound - 1)
        }
        member.key = range
        member.keyHasEscapes = hasEscapes
    }

    @inline(__always)
    mutating func scalar(_ kind: JSONValueKind, _ range: Range<Int>, hasEscapes: Bool) {
        if depth == 1 { add(kind, range, hasEscapes: hasEscapes) }
    }

    @inline(__always)
    private mutating func add(_ kind: JSONValueKind, _ range: Range<Int>, hasEscapes: Bool) {
        guard isObject else { return }
        member.value = range
        member.kind = kind
        member.hasEscapes = hasEscapes
        members.append(member)
    }
}
