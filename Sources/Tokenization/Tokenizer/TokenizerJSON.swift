// tokenizer.json, in which transformers 5 keeps a tokenizer: what of it is vocab.json and merges.txt, and whether all
// else is as GPT-2 has it. Source: the format of Hugging Face's `tokenizers`.
// Not here: whether vocabulary and merges fit each other (TokenizerFiles).

import Records

/// The parts of a tokenizer.json of GPT-2's kind.
struct TokenizerJSON {
    /// Where the object of tokens and ids is in the file.
    let vocabulary: Range<Int>
    /// The merges in the form of merges.txt.
    let mergeLines: [UInt8]
    /// The id of `<|endoftext|>` among the added tokens; nil where it isn't there.
    let endOfText: Int?

    init(_ file: MappedFile) throws(TokenizerError) {
        let document: Object
        let model: Object
        do throws(JSONProblem) {
            document = try Object(file.bytes, in: file.bytes.indices)
            model = try Object(file.bytes, in: try document.range("model"))
            vocabulary = try model.range("vocab")
            mergeLines = try Self.mergeLines(file.bytes, in: try model.range("merges"))
        } catch {
            throw .jsonMalformed(path: file.name, at: error.at, what: error.what)
        }
        let checks = Checks(path: file.name)
        try checks.model(model)
        try checks.pipeline(document)
        endOfText = try checks.addedTokens(document)
    }

    /// Merges are strings "a b", or pairs ["a", "b"].
    private static func mergeLines(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) throws(JSONProblem) -> [UInt8]
    {
        var reader = JSONPullReader(bytes, in: range)
        var lines = Array("#version: 0.2\n".utf8)
        try reader.expect("[")
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            if reader.take("[") {
                try append(reader.string(), with: 0x20, to: &lines, reader)
                try reader.expect(",")
                try append(reader.string(), with: 0x0A, to: &lines, reader)
                try reader.expect("]")
            } else {
                let merge = try reader.string()
                guard !merge.utf8.isEmpty, !merge.utf8.contains(0x0A) else {
                    throw reader.problem("a merge is two tokens and one space")
                }
                lines += merge.utf8
                lines.append(0x0A)
            }
        }
        return lines
    }

    private static func append(
        _ token: String, with end: UInt8, to lines: inout [UInt8], _ reader: JSONPullReader
    ) throws(JSONProblem) {
        guard !token.utf8.contains(where: { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D }) else {
            throw reader.problem("a token of a merge has white space")
        }
        lines += token.utf8
        lines.append(end)
    }
}

/// The members of an object: where in the file their values are.
private struct Object {
    private let bytes: UnsafeRawBufferPointer
    private let start: Int
    private var members: [String: Range<Int>] = [:]

    init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) throws(JSONProblem) {
        self.bytes = bytes
        start = range.lowerBound
        var reader = JSONPullReader(bytes, in: range)
        try reader.expect("{")
        var isFirst = true
        while let name = try reader.nextName(isFirst: &isFirst) {
            _ = reader.peek()
            let begin = reader.position
            try reader.skipValue()
            guard members.updateValue(begin..<reader.position, forKey: name) == nil else {
                throw reader.problem("'\(name)' is there twice")
            }
        }
        try reader.expectEnd()
    }

    func range(_ name: String) throws(JSONProblem) -> Range<Int> {
        guard let range = members[name] else { throw JSONProblem(at: start, what: "there is no '\(name)'") }
        return range
    }

    /// A small value; null where there is none.
    subscript(name: String) -> JSONValue {
        guard let range = members[name] else { return .null }
        return (try? JSONValue(parsing: Array(bytes[range]))) ?? .string("malformed")
    }
}

/// Refuses whatever would give other tokens than GPT-2's tokenizer.
private struct Checks {
    let path: String

    func model(_ model: Object) throws(TokenizerError) {
        guard model["type"] == .string("BPE") else { throw unsupported("model.type", model["type"]) }
        guard model["dropout"] == .null else { throw unsupported("model.dropout", model["dropout"]) }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            guard [.null, .string("")].contains(model[name]) else { throw unsupported("model.\(name)", model[name]) }
        }
        for name in ["byte_fallback", "ignore_merges"] {
            guard [.null, .bool(false)].contains(model[name]) else { throw unsupported("model.\(name)", model[name]) }
        }
    }

    func pipeline(_ document: Object) throws(TokenizerError) {
        guard document["normalizer"] == .null else { throw unsupported("normalizer", document["normalizer"]) }
        let splitting = document["pre_tokenizer"]
        guard splitting["type"] == .string("ByteLevel") else { throw unsupported("pre_tokenizer", splitting) }
        guard splitting["add_prefix_space"] == .bool(false) else {
            throw unsupported("pre_tokenizer.add_prefix_space", splitting["add_prefix_space"] ?? .null)
        }
        guard [nil, .bool(true)].contains(splitting["use_regex"]) else {
            throw unsupported("pre_tokenizer.use_regex", splitting["use_regex"] ?? .null)
        }
        // That of byte-level BPE moves offsets alone; a template may add no token to the text.
        let finishing = document["post_processor"]
        guard finishing == .null || finishing["type"] == .string("ByteLevel") || isPlainTemplate(finishing) else {
            throw unsupported("post_processor", finishing)
        }
    }

    private func isPlainTemplate(_ processor: JSONValue) -> Bool {
        guard processor["type"] == .string("TemplateProcessing"), let steps = processor["single"]?.array else {
            return false
        }
        return steps.count == 1 && steps[0]["Sequence"] != nil
    }

    /// The id of `<|endoftext|>`, the only one that may be there.
    func addedTokens(_ document: Object) throws(TokenizerError) -> Int? {
        let added = document["added_tokens"]
        if added == .null { return nil }
        guard case .array(let tokens) = added else { throw unsupported("added_tokens", added) }
        var id: Int?
        for token in tokens {
            guard token["content"] == .string(Tokenizer.endOfTextName), let known = token["id"]?.int else {
                throw .unsupported(path: path, what: "the added token '\(token["content"]?.string ?? "")'")
            }
            id = known
        }
        return id
    }

    private func unsupported(_ name: String, _ value: JSONValue) -> TokenizerError {
        let shown: String
        switch value {
        case .string(let text): shown = text
        case .bool(let isTrue): shown = "\(isTrue)"
        case .number(let text): shown = text
        case .null: shown = "null"
        default: shown = value["type"]?.string ?? "of an unknown type"
        }
        return .unsupported(path: path, what: "\(name) \(shown)")
    }
}
