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

    /// Appends the bytes that `text` stands for; false where a character stands for none.
    static func appendBytes(of text: String, to result: inout [UInt8]) -> Bool {
        for scalar in text.unicodeScalars {
            guard scalar.value < bytes.count, bytes[Int(scalar.value)] >= 0 else { return false }
            result.append(UInt8(bytes[Int(scalar.value)]))
        }
        return true
    }

    /// `bytes` in the alphabet.
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes { text.unicodeScalars.append(scalars[Int(byte)]) }
        return text
    }
}
