// Scores of streams: thresholds, independence of neighbours, and the lines that come out.

import GPT2Kit
import Records
import TestSupport
import Testing

struct ScoreStreamTests {
    private let place: Folder
    private let classifier: Classifier

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
        classifier = try randomClassifier(place.path, labels: ["ham", "news", "spam"])
    }

    @Test("labels that reach their threshold go first, then those without one, then the likeliest")
    func thresholds() throws {
        func choose(_ thresholds: [(Int, Double)], _ p: [Double]) throws -> Int {
            try Scorer(
                classifier, thresholds: thresholds.map { Threshold(label: $0.0, probability: $0.1) },
                workers: Workers(count: 1)
            ).choice.choose(p)
        }
        #expect(try choose([], [0.2, 0.5, 0.3]) == 1)
        #expect(try choose([], [0.4, 0.4, 0.2]) == 0)
        #expect(try choose([(2, 0.3)], [0.2, 0.5, 0.3]) == 2)
        #expect(try choose([(2, 0.31)], [0.2, 0.5, 0.3]) == 1)
        #expect(try choose([(2, 0.9)], [0.1, 0.05, 0.85]) == 0)
        #expect(try choose([(0, 0.1), (2, 0.2)], [0.2, 0.5, 0.3]) == 2)
        #expect(try choose([(0, 0.9), (1, 0.9), (2, 0.9)], [0.2, 0.5, 0.3]) == 1)
    }

    private static let texts = (0..<150).map {
        Array(String(repeating: "ab c", count: 1 + $0 % 9).utf8) + [65 + UInt8($0 % 26)]
    }

    @Test("a text's score has the same bits beside any texts, on any number of threads", arguments: Pooling.allCases)
    func independentTexts(_ pooling: Pooling) throws {
        let classifier = try randomClassifier(place.path, pooling: pooling, width: 20)
        let one = try Scorer(classifier, workers: Workers(count: 1))
        let alone = try Self.texts.map { try one.score([$0])[0] }
        for threads in 1...3 {
            let scorer = try Scorer(classifier, workers: Workers(count: threads))
            #expect(try scorer.score(Self.texts) == alone)
            #expect(try scorer.score(Self.texts.reversed()) == alone.reversed())
        }
        for score in alone { #expect(abs(score.probabilities.reduce(0, +) - 1) < 1e-12) }
    }

    @Test("repeated texts have the same score, and texts of a thousand tokens don't change other scores")
    func repeatedAndLongTexts() throws {
        let classifier = try randomClassifier(place.path, width: 20, paddedLength: 1100)
        let long = (0..<3).map { Array(String(repeating: "x\($0) ", count: 350).utf8) }
        let texts = long + Self.texts.prefix(40) + [[]] + long.reversed() + Self.texts.prefix(40).reversed() + [[]]
        let one = try Scorer(classifier, workers: Workers(count: 1))
        let alone = try texts.map { try one.score([$0])[0] }
        #expect(Set(alone.map { $0.probabilities[0].bitPattern }).count > 40)
        var generator = SeededGenerator(seed: 5)
        for threads in 1...3 {
            let scorer = try Scorer(classifier, workers: Workers(count: threads))
            #expect(try scorer.score(texts) == alone)
            let order = generator.permutation(texts.count)
            #expect(try scorer.score(order.map { texts[$0] }) == order.map { alone[$0] })
            #expect(scorer.truncated == 0)
        }
        #expect(try one.score([]).isEmpty)
    }

    private func run(
        _ text: String, _ input: ScoreStream.Input, lineBuffered: Bool = false
    ) throws -> (lines: [JSONValue], texts: [String], report: ScoreStream.Report) {
        let path = place.path + "/out-\(input.rawValue)-\(lineBuffered)"
        let sink = ByteSink(descriptor: try #require(openForWriting(path)), name: path)
        var stream = ScoreStream(
            try Scorer(classifier, workers: Workers(count: 2)), input: input, fields: RecordFields())
        let report = try stream.run(
            LineReader(ByteSource(bytes: Array(text.utf8), name: "stdin")), into: sink, lineBuffered: lineBuffered)
        try sink.close()
        let lines = try ByteSource(path: path).readAll(maximum: 1 << 20).split(separator: 0x0A)
        return (
            try lines.map { try JSONValue(parsing: Array($0)) }, lines.map { String(decoding: $0, as: UTF8.self) },
            report
        )
    }

    @Test("every line of text becomes one object, in order", arguments: [false, true])
    func textLines(_ lineBuffered: Bool) throws {
        let (lines, texts, report) = try run("one\n\ntwo \"quoted\"\r\nlast", .text, lineBuffered: lineBuffered)
        #expect(lines.map { $0["text"]?.string } == ["one", "", "two \"quoted\"", "last"])
        #expect(lines.map { $0["line"]?.int } == [1, 2, 3, 4])
        #expect(report.lines == 4 && report.errors == 0)
        for line in lines {
            let label = try #require(line["label"]?.string)
            let p = try #require(line["probabilities"]?.object).map { ($0.key, $0.value.double ?? .nan) }
            #expect(p.map(\.0) == ["ham", "news", "spam"])
            #expect(abs(p.reduce(0) { $0 + $1.1 } - 1) < 1e-6)
            #expect(p.first { $0.0 == label }?.1 == line["probability"]?.double)
            #expect(p.allSatisfy { $0.1 <= line["probability"]?.double ?? -1 })
        }
        #expect(texts[0].hasPrefix("{\"text\":\"one\",\"line\":1,\"label\":"))
    }

    @Test("records keep their members, their label becomes expected, and other lines become errors")
    func records() throws {
        let input = """
            {"id": 7, "text":"hello", "label":"spam","probability":0.5, "more":{"a":[1, 2]}}
            not json
            {"label":"ham"}
            {"text":"two","label":"ham","expected":"news"}

            {"text":"last"}
            """
        let (lines, texts, report) = try run(input, .ndjson)
        #expect(report.lines == 6 && report.errors == 3)
        #expect(lines.map { $0["line"]?.int } == [1, 2, 3, 4, 5, 6])
        #expect(lines.map { $0["error"] != nil } == [false, true, true, false, true, false])
        #expect(
            texts[0].hasPrefix("{\"id\":7,\"text\":\"hello\",\"expected\":\"spam\",\"more\":{\"a\":[1, 2]},\"line\":1,")
        )
        #expect(lines[0]["probability"]?.double != 0.5)
        #expect(lines[3]["expected"]?.string == "news" && lines[5]["expected"] == nil)
        #expect(lines[2].object?.count == 2)
    }

    @Test("keys with escapes are the keys that they stand for")
    func escapedKeys() throws {
        let input = #"{"t\u0065xt":"hello","l\u0061bel":"spam","lin\u0065":9,"b\u0061d":1}"#
        let (lines, texts, report) = try run(input, .ndjson)
        #expect(report.errors == 0)
        #expect(lines[0]["text"]?.string == "hello" && lines[0]["expected"]?.string == "spam")
        #expect(lines[0]["line"]?.int == 1 && lines[0]["bad"]?.int == 1)
        #expect(texts[0].hasPrefix(#"{"t\u0065xt":"hello","expected":"spam","b\u0061d":1,"line":1,"label":"#))
    }
}
