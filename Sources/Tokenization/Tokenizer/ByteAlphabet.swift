// GPT-2 writes bytes as printable characters in vocab.json and merges.txt: printable Latin-1 as itself, the other
// 68 bytes as U+0100 and up, in order. Source: `bytes_to_unicode` in GPT-2's encoder.py.

enum ByteAlphabet {
    /// The character of each byte.
    static let scalars: [Unicode.Scalar] = {
        var scalars: [Unicode.Scalar] = []
        var spare: UInt32 = 0x100
        for byte in UInt8.min...UInt8.max {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: scalars.append(Unicode.Scalar(byte))
            default:
                scalars.append(Unicode.Scalar(spare) ?? Unicode.Scalar(byte))
                spare += 1
            }
        }
        return scalars
    }()

    /// The bytes in the order of their token ids in GPT-2: the printable ones first.
    static let idOrder: [UInt8] = (UInt8.min...UInt8.max).sorted { scalars[Int($0)] < scalars[Int($1)] }

    /// The byte of each character, by scalar value; -1 where there is none.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x100 + 68)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = Int16(byte) }
        return bytes
    }()

    /// Appends the bytes that `text`, UTF-8, stands for; false where a character stands for none, or isn't UTF-8.
    @inline(__always)
    static func appendBytes(of text: some Collection<UInt8>, to result: inout [UInt8]) -> Bool {
        // All characters of the alphabet are below U+0800: two bytes of UTF-8 at most.
        bytes.withUnsafeBufferPointer { bytes in
            var lead: Int?
            for unit in text {
                let scalar: Int
                if let high = lead {
                    guard unit & 0xC0 == 0x80 else { return false }
                    scalar = high << 6 | Int(unit & 0x3F)
                    lead = nil
                } else if unit < 0x80 {
                    scalar = Int(unit)
                } else {
                    guard 0xC2...0xDF ~= unit else { return false }
                    lead = Int(unit & 0x1F)
                    continue
                }
                guard scalar < bytes.count, bytes[scalar] >= 0 else { return false }
                result.append(UInt8(truncatingIfNeeded: bytes[scalar]))
            }
            return lead == nil
        }
    }

    /// `bytes` in the alphabet.
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes { text.unicodeScalars.append(scalars[Int(byte)]) }
        return text
    }
}
