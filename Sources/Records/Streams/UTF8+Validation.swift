// Strict UTF-8 (Unicode, table 3-7): no overlong forms, no surrogates, nothing beyond U+10FFFF, nothing cut short.

extension UTF8 {
    /// The length of the sequence that begins at `index`, 0 where it isn't UTF-8.
    @inline(__always)
    static func sequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        func isContinuation(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            index + offset < bytes.count && range.contains(bytes[index + offset])
        }
        switch bytes[index] {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: return isContinuation(1) ? 2 : 0
        case 0xE0: return isContinuation(1, 0xA0...0xBF) && isContinuation(2) ? 3 : 0
        case 0xED: return isContinuation(1, 0x80...0x9F) && isContinuation(2) ? 3 : 0
        case 0xE1...0xEF: return isContinuation(1) && isContinuation(2) ? 3 : 0
        case 0xF0: return isContinuation(1, 0x90...0xBF) && isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xF1...0xF3: return isContinuation(1) && isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xF4: return isContinuation(1, 0x80...0x8F) && isContinuation(2) && isContinuation(3) ? 4 : 0
        default: return 0
        }
    }

    /// The offset of the first byte that isn't UTF-8, or nil.
    public static func firstInvalidOffset(in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBufferPointer { buffer in
            var index = 0
            while index < buffer.count {
                let length = sequenceLength(buffer, at: index)
                if length == 0 { return index }
                index += length
            }
            return nil
        }
    }

    /// Calls `body` with one chunk of `bytes` after another, each of at most 64 KiB, or what became of them: sequences that
    /// aren't UTF-8 are U+FFFD, as `String(decoding:as:)` has it.
    package static func forEachRepairedChunk<Failure: Error>(
        of bytes: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        var rest = bytes
        while !rest.isEmpty {
            let chunk = rest.prefix(chunkLength(rest))
            rest = rest.dropFirst(chunk.count)
            if firstInvalidOffset(in: chunk) == nil {
                try body(chunk)
            } else {
                try body(Array(String(decoding: chunk, as: UTF8.self).utf8)[...])
            }
        }
    }

    /// `bytes` with U+FFFD in place of sequences that aren't UTF-8.
    package static func repaired(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        // A byte can become three. Room is reserved, because a growing array would be copied.
        var count = 0
        forEachRepairedChunk(of: bytes) { count += $0.count }
        var result: [UInt8] = []
        result.reserveCapacity(count)
        forEachRepairedChunk(of: bytes) { result += $0 }
        return result
    }

    /// The length of a chunk that no sequence begins in and ends behind.
    private static func chunkLength(_ bytes: ArraySlice<UInt8>) -> Int {
        let most = 1 << 16
        guard bytes.count > most else { return bytes.count }
        // A sequence has at most three bytes that continue it.
        return (0...3).lazy.map { most - $0 }.first { bytes[bytes.startIndex + $0] & 0xC0 != 0x80 } ?? most
    }
}
