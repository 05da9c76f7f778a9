// Every way in which vocab.json and merges.txt can be wrong, one case each.

import Records

/// A tokenizer directory whose files aren't a GPT-2 tokenizer.
public enum TokenizerError: DiagnosableError, Equatable {
    /// vocab.json isn't one JSON object of tokens and ids.
    case vocabularyMalformed(path: String, at: Int, what: String)
    /// A token has a character that stands for no byte.
    case unknownCharacter(path: String, token: String)
    case duplicateToken(path: String, token: String)
    case duplicateID(path: String, id: Int)
    /// An id is as large as the number of tokens or larger: others are missing.
    case idOutOfRange(path: String, id: Int, count: Int)
    /// A single byte has no token, so that not every text could be encoded.
    case missingByte(path: String, byte: Int)
    /// There is no `<|endoftext|>`.
    case missingEndOfText(path: String)
    /// A token is neither a byte nor a special one, and no merge makes it: merges.txt is cut off.
    case unmadeToken(path: String, token: String)
    /// merges.txt isn't UTF-8.
    case mergesNotUTF8(path: String)
    /// A line isn't two tokens with one space between.
    case mergeMalformed(path: String, line: Int)
    /// A line names a token that vocab.json doesn't have, or makes one: vocab.json is cut off, or another model's.
    case mergeOfUnknownToken(path: String, line: Int, token: String)
    case duplicateMerge(path: String, line: Int)

    public var diagnosis: Diagnosis {
        let (path, position, problem) = parts
        return Diagnosis(
            source: path, position: position, problem: problem,
            remedy: "fetch this model's vocab.json and merges.txt again", status: .configuration)
    }

    private var parts: (String, Diagnosis.Position?, String) {
        switch self {
        case .vocabularyMalformed(let path, let at, let what): (path, .byte(at), what)
        case .unknownCharacter(let path, let token): (path, nil, "token '\(token)' isn't in GPT-2's byte alphabet")
        case .duplicateToken(let path, let token): (path, nil, "token '\(token)' is there twice")
        case .duplicateID(let path, let id): (path, nil, "id \(id) is there twice")
        case .idOutOfRange(let path, let id, let count): (path, nil, "id \(id) among \(count) tokens leaves a gap")
        case .missingByte(let path, let byte): (path, nil, "byte \(byte) has no token")
        case .missingEndOfText(let path): (path, nil, "there is no <|endoftext|>")
        case .unmadeToken(let path, let token): (path, nil, "no merge makes the token '\(token)'")
        case .mergesNotUTF8(let path): (path, nil, "it isn't UTF-8")
        case .mergeMalformed(let path, let line): (path, .line(line), "a merge is two tokens and one space")
        case .mergeOfUnknownToken(let path, let line, let token):
            (path, .line(line), "token '\(token)' isn't in vocab.json")
        case .duplicateMerge(let path, let line): (path, .line(line), "the merge is there twice")
        }
    }
}
