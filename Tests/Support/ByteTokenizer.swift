// A tokenizer of single bytes.

import Foundation
import Tokenization

/// vocab.json and merges.txt of 257 tokens: every byte, and `<|endoftext|>` (256); and of one more for each merge, "a b".
package func writeByteTokenizer(_ directory: String, merges: [String] = []) throws {
    var printable = Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
    var code = 256
    var characters = printable.map { ($0, $0) }
    for byte in 0..<256 where !printable.contains(byte) {
        printable.append(byte)
        characters.append((byte, code))
        code += 1
    }
    var vocabulary = [Tokenizer.endOfTextName: 256]
    for (id, character) in characters.enumerated() {
        vocabulary[String(Unicode.Scalar(UInt32(character.1)).map(Character.init) ?? "?")] = id
    }
    for (id, merge) in merges.enumerated() { vocabulary[merge.replacing(" ", with: "")] = 257 + id }
    let json = try JSONSerialization.data(withJSONObject: vocabulary)
    try json.write(to: URL(filePath: directory + "/vocab.json"))
    try Data((["#version: 0.2"] + merges).map { $0 + "\n" }.joined().utf8).write(
        to: URL(filePath: directory + "/merges.txt"))
}
