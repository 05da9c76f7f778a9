// Reads and checks vocab.json and merges.txt, or tokenizer.json (TokenizerJSON), as untrusted as any other file.
// Not here: encoding (Tokenizer).

import Platform
import Records

/// What the two files say, in the form in which the tokenizer uses it.
struct TokenizerFiles {
    /// In the order of vocab.json.
    private(set) var tokens: ByteStringTable
    /// By id, the index into ``tokens``.
    private(set) var indexOfID: [Int] = []
    /// By byte, its token.
    private(set) var byteTokens: [UInt32] = []
    private(set) var merges = MergeTable(capacity: 1)
    private(set) var endOfText = 0
    /// merges.txt as GPT-2 was published with it, whatever it was read from.
    private(set) var mergeLines = Array("#version: 0.2\n".utf8)
    private var idOfIndex: [Int] = []

    /// 256 MiB: a hundred times as much as the tokenizers of large models have.
    static let mostBytes = 256 << 20

    /// The least that a token takes in a vocabulary, on average.
    private static let bytesOfToken = 14

    init(vocabulary: MappedFile, merges: MappedFile) throws(TokenizerError) {
        tokens = ByteStringTable(capacity: vocabulary.bytes.count / Self.bytesOfToken)
        try readVocabulary(JSONPullReader(vocabulary.bytes), path: vocabulary.name)
        try checkIDs(vocabulary.name)
        try readMerges(merges)
    }

    init(json file: MappedFile) throws(TokenizerError) {
        let json = try TokenizerJSON(file)
        tokens = ByteStringTable(capacity: json.vocabulary.count / Self.bytesOfToken)
        try readVocabulary(JSONPullReader(file.bytes, in: json.vocabulary), path: file.name)
        try checkIDs(file.name)
        if let id = json.endOfText, id != endOfText { throw .addedTokenMismatch(path: file.name, id: id) }
        try readMerges(MappedFile(copying: json.mergeLines, name: file.name))
    }

    /// vocab.json as GPT-2 was published with it: in the order of the ids, as Python's `json.dumps` writes it.
    ///
    /// Every tokenizer that is loaded is identified by it, so that it is written without an array for each character.
    var vocabulary: [UInt8] {
        // For every byte eight places: its character as JSON has it, at most six bytes, and how many they are.
        var escapes = [UInt8](repeating: 0, count: 8 << 8)
        for (byte, scalar) in ByteAlphabet.scalars.enumerated() {
            let characters = Self.escaped(scalar)
            escapes.replaceSubrange(8 * byte..<8 * byte + characters.count, with: characters)
            escapes[8 * byte + 7] = UInt8(characters.count)
        }
        // Around a token, `, "` and `": `, and an id of at most 19 digits.
        let most = 2 + 6 * tokens.bytes.count + 25 * tokens.count
        return [UInt8](unsafeUninitializedCapacity: most) { text, count in
            func put(_ byte: UInt8) {
                text[count] = byte
                count += 1
            }
            escapes.withUnsafeBufferPointer { escapes in
                put(UInt8(ascii: "{"))
                for (id, index) in indexOfID.enumerated() {
                    for byte in (id == 0 ? "\"" : ", \"").utf8 { put(byte) }
                    for byte in tokens[index] {
                        let first = 8 * Int(byte)
                        for place in first..<first + Int(escapes[first + 7]) { put(escapes[place]) }
                    }
                    for byte in "\": ".utf8 { put(byte) }
                    var unit = 1
                    while id / unit >= 10 { unit *= 10 }
                    while unit > 0 {
                        put(UInt8(ascii: "0") + UInt8(id / unit % 10))
                        unit /= 10
                    }
                }
                put(UInt8(ascii: "}"))
            }
        }
    }

    /// A character of GPT-2's alphabet in a string of JSON.
    private static func escaped(_ scalar: Unicode.Scalar) -> [UInt8] {
        if scalar == "\"" || scalar == "\\" { return Array("\\\(scalar)".utf8) }
        if scalar.isASCII { return [UInt8(scalar.value)] }
        let digits = String(scalar.value, radix: 16)
        return Array("\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
    }

    private mutating func readVocabulary(_ reader: JSONPullReader, path: String) throws(TokenizerError) {
        var reader = reader
        func read<Value>(_ body: (inout JSONPullReader) throws(JSONProblem) -> Value) throws(TokenizerError) -> Value {
            do {
                return try body(&reader)
            } catch {
                throw .vocabularyMalformed(path: path, at: error.at, what: error.what)
            }
        }
        var isFirst = true
        var token: [UInt8] = []
        var bytes: [UInt8] = []
        try read { (json) throws(JSONProblem) in try json.expect("{") }
        while try read({ (json) throws(JSONProblem) in try json.nextName(isFirst: &isFirst, into: &token) }) {
            idOfIndex.append(try read { (json) throws(JSONProblem) in try json.count() })
            bytes.removeAll(keepingCapacity: true)
            guard ByteAlphabet.appendBytes(of: token, to: &bytes) else {
                throw .unknownCharacter(path: path, token: String(decoding: token, as: UTF8.self))
            }
            guard tokens.insert(bytes[...]) else {
                throw .duplicateToken(path: path, token: String(decoding: token, as: UTF8.self))
            }
        }
        try read { (json) throws(JSONProblem) in try json.expectEnd() }
    }

    private mutating func checkIDs(_ path: String) throws(TokenizerError) {
        indexOfID = Array(repeating: -1, count: tokens.count)
        for (index, id) in idOfIndex.enumerated() {
            guard id < tokens.count, id < Int(Int32.max) else {
                throw .idOutOfRange(path: path, id: id, count: tokens.count)
            }
            guard indexOfID[id] < 0 else { throw .duplicateID(path: path, id: id) }
            indexOfID[id] = index
        }
        for byte in UInt8.min...UInt8.max {
            guard let token = id(of: [byte]) else { throw .missingByte(path: path, byte: Int(byte)) }
            byteTokens.append(UInt32(token))
        }
        guard let id = id(of: Array(Tokenizer.endOfTextName.utf8)) else { throw .missingEndOfText(path: path) }
        endOfText = id
    }

    private mutating func readMerges(_ file: MappedFile) throws(TokenizerError) {
        merges = MergeTable(capacity: tokens.count)
        mergeLines.reserveCapacity(file.bytes.count + mergeLines.count)
        var isMade = [Bool](repeating: false, count: tokens.count)
        for token in byteTokens { isMade[Int(token)] = true }
        var rank: UInt32 = 0
        var line = 0
        var start = 0
        var merged: [UInt8] = []
        while start < file.bytes.count {
            let end = start + place(of: 0x0A, in: UnsafeRawBufferPointer(rebasing: file.bytes[start...]))
            var content = UnsafeRawBufferPointer(rebasing: file.bytes[start..<end])
            start = end + 1
            line += 1
            if content.last == 0x0D { content = UnsafeRawBufferPointer(rebasing: content.dropLast()) }
            if line == 1, content.starts(with: "#version".utf8) { continue }
            if content.isEmpty, start >= file.bytes.count { break }
            let space = place(of: 0x20, in: content)
            guard space < content.count else { throw .mergeMalformed(path: file.name, line: line) }
            let (first, second) = (
                UnsafeRawBufferPointer(rebasing: content[..<space]),
                UnsafeRawBufferPointer(rebasing: content[(space + 1)...])
            )
            guard place(of: 0x20, in: second) == second.count else {
                throw .mergeMalformed(path: file.name, line: line)
            }
            merged.removeAll(keepingCapacity: true)
            let left = try append(first, to: &merged, file.name, line)
            let right = try append(second, to: &merged, file.name, line)
            guard let token = id(of: merged) else {
                throw .mergeOfUnknownToken(path: file.name, line: line, token: ByteAlphabet.text(merged))
            }
            guard rank < UInt32(tokens.count), merges.insert(left, right, rank: rank, token: UInt32(token)) else {
                throw .duplicateMerge(path: file.name, line: line)
            }
            isMade[token] = true
            rank += 1
            mergeLines.append(contentsOf: content)
            mergeLines.append(0x0A)
        }
        for (id, made) in isMade.enumerated() where !made {
            let bytes = tokens[indexOfID[id]]
            let isSpecial = bytes.starts(with: "<|".utf8) && bytes.reversed().starts(with: ">|".utf8)
            if !isSpecial { throw .unmadeToken(path: file.name, token: ByteAlphabet.text(bytes)) }
        }
    }

    /// Appends the bytes of one side of a merge and returns its id.
    private func append(
        _ side: UnsafeRawBufferPointer, to merged: inout [UInt8], _ path: String, _ line: Int
    ) throws(TokenizerError) -> UInt32 {
        let start = merged.count
        guard !side.isEmpty else { throw .mergeMalformed(path: path, line: line) }
        guard ByteAlphabet.appendBytes(of: side, to: &merged), let index = tokens.find(merged[start...]) else {
            guard let text = String(validating: side, as: UTF8.self) else { throw .mergesNotUTF8(path: path) }
            throw .mergeOfUnknownToken(path: path, line: line, token: text)
        }
        return UInt32(idOfIndex[index])
    }

    /// Where `byte` is first; the end where it isn't.
    private func place(of byte: UInt8, in bytes: UnsafeRawBufferPointer) -> Int {
        guard let start = bytes.baseAddress, let found = memchr(start, Int32(byte), bytes.count) else {
            return bytes.count
        }
        return UnsafeRawPointer(found) - start
    }

    private func id(of bytes: [UInt8]) -> Int? {
        tokens.find(bytes[...]).map { idOfIndex[$0] }
    }
}
