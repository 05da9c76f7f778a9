// The grammar of nested values, once: whoever wants all of a text, its outermost members or nothing of it, is told what is
// met on the way. Iterative, with a limit on depth: input from outside can't exhaust the stack.

/// Is told what a walk over a JSON value meets, in order. Positions are those of the walked bytes.
protocol JSONVisitor {
    /// An array or an object begins with the bracket at `position`.
    mutating func begin(isObject: Bool, at position: Int)
    /// The array or object that began last ends; its closing bracket is before `end`.
    mutating func end(isObject: Bool, before end: Int)
    /// A key of the object that began last. The range is without its quotes.
    mutating func key(_ range: Range<Int>, hasEscapes: Bool) throws(JSONError)
    /// A string (the range is with its quotes), a number, `true`, `false` or `null`.
    mutating func scalar(_ kind: JSONValueKind, _ range: Range<Int>, hasEscapes: Bool)
}

extension JSONLexer {
    /// Passes one value of any kind, from its first byte (after any white space) to behind its last. Linear time.
    ///
    /// - Parameter maximumDepth: arrays and objects may be nested this deep, at most 512.
    @inline(__always)
    mutating func walk(_ visitor: inout some JSONVisitor, maximumDepth: Int) throws(JSONError) {
        var open = OpenContainers()
        skipWhitespace()
        nextValue: while true {
            let start = position
            switch peek {
            case UInt8(ascii: "\""):
                let hasEscapes = try skipString()
                visitor.scalar(.string, start..<position, hasEscapes: hasEscapes)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open.depth < maximumDepth else { throw JSONError(.tooDeep, at: start) }
                let isObject = bytes[start] == UInt8(ascii: "{")
                visitor.begin(isObject: isObject, at: start)
                position += 1
                if skipWhitespace() == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    position += 1
                    visitor.end(isObject: isObject, before: position)
                } else {
                    open.push(isObject: isObject)
                    if isObject { try walkKey(&visitor) }
                    continue nextValue
                }
            default:
                let kind = try skipScalar()
                visitor.scalar(kind, start..<position, hasEscapes: false)
            }

            // A value has ended, and with it whatever it is the last value of.
            while open.depth > 0 {
                let isObject = open.lastIsObject
                switch skipWhitespace() {
                case UInt8(ascii: ","):
                    position += 1
                    skipWhitespace()
                    if isObject { try walkKey(&visitor) }
                    continue nextValue
                case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                    position += 1
                    open.pop()
                    visitor.end(isObject: isObject, before: position)
                default:
                    throw unexpected
                }
            }
            return
        }
    }

    /// A key, its colon and the white space after it.
    @inline(__always)
    private mutating func walkKey(_ visitor: inout some JSONVisitor) throws(JSONError) {
        guard peek == UInt8(ascii: "\"") else { throw unexpected }
        let start = position
        let hasEscapes = try skipString()
        try visitor.key(start + 1..<position - 1, hasEscapes: hasEscapes)
        guard skipWhitespace() == UInt8(ascii: ":") else { throw unexpected }
        position += 1
        skipWhitespace()
    }
}

/// The arrays and objects around a position: a bit for each, on the stack.
private struct OpenContainers {
    private var bits = SIMD8<UInt64>()
    private(set) var depth = 0
    /// Whether the innermost is an object; kept apart, because it is asked for at every value.
    private(set) var lastIsObject = false

    mutating func push(isObject: Bool) {
        set(depth, isObject)
        depth += 1
        lastIsObject = isObject
    }

    mutating func pop() {
        depth -= 1
        lastIsObject = depth > 0 && bits[(depth - 1) >> 6] >> UInt64((depth - 1) & 63) & 1 == 1
    }

    private mutating func set(_ index: Int, _ bit: Bool) {
        let mask: UInt64 = 1 << UInt64(index & 63)
        if bit { bits[index >> 6] |= mask } else { bits[index >> 6] &= ~mask }
    }
}
