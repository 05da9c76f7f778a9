// Every way in which vocab.json and merges.txt, or tokenizer.json, can be wrong, one case each.

import Records

/// A tokenizer directory whose files aren't a GPT-2 tokenizer.
public enum TokenizerError: DiagnosableError, Equatable {
    /// vocab.json isn't one JSON object of tokens and ids.
    case vocabularyMalformed(path: String, at: Int, what: String)
    /// A token has a character that stands for no byte.
    case unknownCharacter(path: String, token: String)
    /// Two entries of vocab.json stand for the same bytes.
    case duplicateToken(path: String, token: String)
    /// Two tokens have the same id.
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
    /// Two lines merge the same pair.
    case duplicateMerge(path: String, line: Int)
    /// tokenizer.json asks for what GPT-2's tokenizer doesn't do.
    case unsupported(path: String, what: String)
    /// tokenizer.json lacks a part, or isn't the JSON that it has to be.
    case jsonMalformed(path: String, at: Int, what: String)
    /// `<|endoftext|>` has another id among the added tokens than in the vocabulary.
    case addedTokenMismatch(path: String, id: Int)

    public var diagnosis: Diagnosis {
        let (path, position, problem) = parts
        let isJSON = path.hasSuffix("tokenizer.json")
        var diagnosis = Diagnosis(
            source: path, position: position, problem: problem,
            remedy: "fetch this model's \(isJSON ? "tokenizer.json" : "vocab.json and merges.txt") again",
            status: .configuration)
        if case .unsupported = self { diagnosis.remedy = "use a tokenizer of GPT-2's kind" }
        // Its merges have no lines of their own.
        if isJSON, case .line(let line) = position {
            diagnosis.position = nil
            diagnosis.problem = "merge \(line - 1): \(problem)"
        }
        return diagnosis
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
            (path, .line(line), "token '\(token)' isn't in the vocabulary")
        case .duplicateMerge(let path, let line): (path, .line(line), "the merge is there twice")
        case .unsupported(let path, let what): (path, nil, "\(what) isn't supported")
        case .jsonMalformed(let path, let at, let what): (path, .byte(at), what)
        case .addedTokenMismatch(let path, let id):
            (path, nil, "<|endoftext|> is added with the id \(id), but the vocabulary has another")
        }
    }
}
