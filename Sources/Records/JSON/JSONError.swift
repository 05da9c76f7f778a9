// Every way in which bytes can fail to be JSON (RFC 8259), or to be the JSON that was asked for.

/// A position in a JSON text, and what is wrong there.
public struct JSONError: DiagnosableError, Equatable {
    /// What is wrong.
    public enum Kind: Sendable, Equatable {
        /// The text ends inside of a value.
        case unexpectedEnd
        /// A byte that can't stand where it stands.
        case unexpectedByte(UInt8)
        /// Something follows the value.
        case trailingBytes
        /// A number that isn't written as RFC 8259 wants it: `01`, `1.`, `+1`, `.5`.
        case invalidNumber
        /// A control character inside of a string that isn't written as an escape.
        case controlCharacter
        /// A backslash followed by something that isn't an escape.
        case invalidEscape
        /// `\uD800` without its other half, or the halves in the wrong order.
        case loneSurrogate
        /// Bytes that aren't UTF-8: stray or missing continuation, overlong form, surrogate, beyond U+10FFFF.
        case invalidUTF8
        /// Arrays and objects nested more than ``JSONScanner/maximumDepth`` deep.
        case tooDeep
        /// The outermost object has more than ``JSONScanner/maximumMembers``.
        case tooManyMembers
        /// The same key twice in one object.
        case duplicateKey
        /// The value isn't an object.
        case notAnObject
    }

    /// What is wrong.
    public var kind: Kind
    /// Bytes before the one that is wrong.
    public var offset: Int
    /// The file, where it is known.
    public var source: String?

    /// That `kind` is wrong with the byte at `offset`.
    public init(_ kind: Kind, at offset: Int, source: String? = nil) {
        self.kind = kind
        self.offset = offset
        self.source = source
    }

    public var diagnosis: Diagnosis {
        Diagnosis(
            source: source, position: source == nil ? nil : .byte(offset), problem: "not valid JSON (\(reason))",
            remedy: remedy, status: .badData)
    }

    /// A few words for a message.
    public var reason: String {
        switch kind {
        case .unexpectedEnd: "it ends too early"
        case .unexpectedByte(let byte):
            byte > 0x20 && byte < 0x7F
                ? "unexpected '\(Character(UnicodeScalar(byte)))' at byte \(offset)"
                : "unexpected byte 0x\(String(byte, radix: 16, uppercase: true)) at byte \(offset)"
        case .trailingBytes: "something follows the value at byte \(offset)"
        case .invalidNumber: "malformed number at byte \(offset)"
        case .controlCharacter: "unescaped control character at byte \(offset)"
        case .invalidEscape: "invalid escape at byte \(offset)"
        case .loneSurrogate: "lone surrogate at byte \(offset)"
        case .invalidUTF8: "invalid UTF-8 at byte \(offset)"
        case .tooDeep: "nested more than \(JSONScanner.maximumDepth) deep"
        case .tooManyMembers: "more than \(JSONScanner.maximumMembers) keys in one object"
        case .duplicateKey: "duplicate key at byte \(offset)"
        case .notAnObject: "not an object"
        }
    }

    var remedy: String {
        switch kind {
        case .invalidUTF8: "convert the input to UTF-8, for instance with iconv"
        case .notAnObject: "write an object with a text, {\"text\": …}, on every line"
        case .unexpectedEnd: "check that the input is whole"
        case .tooManyMembers: "keep the keys that are needed, as jq -c '{text, label}' does"
        // What jq accepts, it can write anew.
        case .duplicateKey: "write every key once; jq -c . keeps the last of them"
        case .trailingBytes: "write one object on every line, as jq -c . does"
        case .invalidNumber: "write numbers as jq -c . does"
        case .unexpectedByte(UInt8(ascii: "N")): "write null instead of NaN, as jq -c . does"
        default: "correct the input; jq . shows whether it is valid"
        }
    }
}
