// A strict RFC 8259 scanner over bytes. It validates a whole value and reports where the members of the outermost
// object are, without building any of them: a filter that needs one key of ten decodes that one.
//
// Iterative, with a fixed depth limit: input from outside can't exhaust the stack.

/// Validates JSON texts and finds the members of objects. Keep one and use it again: it reuses its memory.
public struct JSONScanner {
    /// Arrays and objects may be nested this deep.
    public static let maximumDepth = 512

    public enum ValueKind: Sendable {
        case object, array, string, number, bool, null
    }

    /// One key of the outermost object and its value, as ranges of the scanned bytes.
    public struct Member: Sendable, Equatable {
        /// Without the quotes.
        public var key: Range<Int>
        public var keyHasEscapes: Bool
        /// With the quotes where it is a string.
        public var value: Range<Int>
        public var kind: ValueKind
        /// True for a string with a backslash: then its bytes aren't its text.
        public var hasEscapes: Bool
    }

    /// The members of the object that was scanned last, in order.
    public private(set) var members: [Member] = []
    private var isObjectAtDepth = [Bool](repeating: false, count: maximumDepth)

    public init() {}

    /// Validates `bytes` as one JSON object and finds its ``members``. Linear time.
    public mutating func scanObject(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        members.removeAll(keepingCapacity: true)
        var cursor = JSONCursor(bytes)
        cursor.skipWhitespace()
        guard let first = cursor.peek else { throw JSONError(.unexpectedEnd, at: 0) }
        try scanValue(&cursor)
        guard first == UInt8(ascii: "{") else { throw JSONError(.notAnObject, at: 0) }
        cursor.skipWhitespace()
        if cursor.peek != nil { throw JSONError(.trailingBytes, at: cursor.position) }
        try rejectDuplicates(bytes)
    }

    private mutating func scanValue(_ cursor: inout JSONCursor) throws(JSONError) {
        var depth = 0
        var member = Member(key: 0..<0, keyHasEscapes: false, value: 0..<0, kind: .null, hasEscapes: false)
        var memberStart = 0

        nextValue: while true {
            if depth == 1 { memberStart = cursor.position }
            var kind: ValueKind
            var hasEscapes = false
            switch cursor.peek {
            case UInt8(ascii: "\""):
                kind = .string
                hasEscapes = try cursor.skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < Self.maximumDepth else { throw JSONError(.tooDeep, at: cursor.position) }
                let isObject = cursor.peek == UInt8(ascii: "{")
                isObjectAtDepth[depth] = isObject
                depth += 1
                cursor.position += 1
                cursor.skipWhitespace()
                if cursor.peek == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    cursor.position += 1
                    depth -= 1
                    kind = isObject ? .object : .array
                } else {
                    if isObject { try scanKey(&cursor, into: &member, isOutermost: depth == 1) }
                    continue nextValue
                }
            case let other:
                kind = try cursor.skipScalar(other)
            }

            // A value has ended: close what it was the last part of.
            while true {
                if depth == 0 { return }
                if depth == 1, isObjectAtDepth[0] {
                    member.value = memberStart..<cursor.position
                    member.kind = kind
                    member.hasEscapes = hasEscapes
                    members.append(member)
                }
                let isObject = isObjectAtDepth[depth - 1]
                cursor.skipWhitespace()
                switch cursor.peek {
                case UInt8(ascii: ","):
                    cursor.position += 1
                    cursor.skipWhitespace()
                    if isObject { try scanKey(&cursor, into: &member, isOutermost: depth == 1) }
                    continue nextValue
                case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                    cursor.position += 1
                    depth -= 1
                    kind = isObject ? .object : .array
                    hasEscapes = false
                case let other:
                    throw cursor.unexpected(other)
                }
            }
        }
    }

    /// A key, its colon and the white space after it.
    private func scanKey(
        _ cursor: inout JSONCursor, into member: inout Member, isOutermost: Bool
    ) throws(JSONError) {
        guard cursor.peek == UInt8(ascii: "\"") else { throw cursor.unexpected(cursor.peek) }
        let start = cursor.position
        let hasEscapes = try cursor.skipString()
        if isOutermost {
            member.key = start + 1..<cursor.position - 1
            member.keyHasEscapes = hasEscapes
        }
        cursor.skipWhitespace()
        guard cursor.peek == UInt8(ascii: ":") else { throw cursor.unexpected(cursor.peek) }
        cursor.position += 1
        cursor.skipWhitespace()
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
            let key = unescapedJSON(bytes[member.key], hasEscapes: member.keyHasEscapes)
            if !seen.insert(key).inserted { throw JSONError(.duplicateKey, at: member.key.lowerBound) }
        }
    }
}
