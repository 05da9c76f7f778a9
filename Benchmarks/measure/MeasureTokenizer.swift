// The tokenizer alone: a file in memory, line by line, on one thread.

import ArgumentParser
import Records
import Tokenization

struct MeasureTokenizer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Encode every line of a file; loading excluded.")

    @Argument(help: ArgumentHelp("The directory of vocab.json and merges.txt.", valueName: "dir"))
    var tokenizer: String

    @Argument(help: "The file.")
    var file: String

    func run() throws {
        var encoder = TokenEncoder(try Tokenizer(directory: tokenizer))
        let reader = LineReader(try ByteSource(path: file))
        var lines: [[UInt8]] = []
        while let line = try reader.next() { lines.append(line.bytes) }
        let begin = seconds()
        var tokens = 0
        for line in lines { tokens += encoder.encode(line).count }
        try printObject(["tokens": .number("\(tokens)"), "seconds": .number("\(seconds() - begin)")])
    }
}
