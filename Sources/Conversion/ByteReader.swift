// Numbers of variable length, as LevelDB and protocol buffers write them: seven bits a byte, the lowest first.

/// Reads a range of bytes from its start to its end.
struct ByteReader {
    /// A value of a protocol buffer's field.
    enum Value {
        case integer(Int)
        case fixed(UInt32)
        case bytes(ByteReader)
    }

    private let bytes: UnsafeRawBufferPointer
    private var range: Range<Int>
    private let file: String

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ file: String) {
        self.bytes = bytes
        self.range = range
        self.file = file
    }

    var isAtEnd: Bool { range.isEmpty }

    func malformed(_ what: String) -> ConversionError { .malformed(what, at: range.lowerBound, file: file) }

    /// A number from 0 to the largest Int.
    mutating func integer() throws(ConversionError) -> Int {
        var value = 0
        for shift in stride(from: 0, to: 63, by: 7) {
            guard let place = range.first else { throw malformed("a number that ends too early") }
            range.removeFirst()
            value |= Int(bytes[place] & 0x7F) << shift
            if bytes[place] < 0x80 { return value }
        }
        throw malformed("a number that is too large")
    }

    /// The place of the next `count` bytes.
    mutating func take(_ count: Int) throws(ConversionError) -> Range<Int> {
        guard count <= range.count else { throw malformed("bytes that are not there") }
        let taken = range.lowerBound..<range.lowerBound + count
        range = taken.upperBound..<range.upperBound
        return taken
    }

    /// Where a block of a table lies: its offset and its size.
    mutating func handle() throws(ConversionError) -> Range<Int> {
        let (offset, size) = (try integer(), try integer())
        guard offset <= bytes.count, size <= bytes.count - offset else { throw malformed("a block that is not there") }
        return offset..<offset + size
    }

    /// The next field of a protocol buffer; nil at the end.
    mutating func field() throws(ConversionError) -> (number: Int, value: Value)? {
        guard !isAtEnd else { return nil }
        let key = try integer()
        switch key & 7 {
        case 0: return (key >> 3, .integer(try integer()))
        case 2: return (key >> 3, .bytes(ByteReader(bytes, try take(try integer()), file)))
        case 5:
            let place = try take(4)
            return (key >> 3, .fixed(bytes.loadUnaligned(fromByteOffset: place.lowerBound, as: UInt32.self)))
        default: throw malformed("a field of a kind that no checkpoint has")
        }
    }
}

extension Range<Int> {
    fileprivate mutating func removeFirst() { self = lowerBound + 1..<upperBound }
}
