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
