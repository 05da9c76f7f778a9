import Foundation
import Testing

import Records

/// Records of `counts` classes, mixed.
func corpus(_ counts: [(String, Int)], text: (Int) -> String = { "text \($0)" }) -> [String] {
    var labels = counts.flatMap { Array(repeating: $0.0, count: $0.1) }
    var generator = SeededGenerator(seed: 99)
    generator.shuffle(&labels)
    return labels.enumerated().map { "{\"label\":\"\($1)\", \"text\":\"\(text($0))\",\"n\":\($0)}" }
}

func reader(_ lines: [String]) -> RecordReader {
    RecordReader(LineReader(ByteSource(bytes: Array(lines.joined(separator: "\n").utf8), name: "test")))
}

/// What `body` writes to a sink.
func written(_ body: (ByteSink) throws -> Void) throws -> [String] {
    let directory = try TemporaryDirectory()
    let path = directory.file("out")
    let file = try AtomicFile(path: path)
    try body(file.sink)
    try file.commit()
    let text = try String(decoding: ByteSource(path: path).readAll(maximum: 1 << 24), as: UTF8.self)
    return text.split(separator: "\n").map(String.init)
}
