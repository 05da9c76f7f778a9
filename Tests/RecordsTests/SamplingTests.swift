import Foundation
import Testing

import Records

/// Records of `counts` classes, mixed.
private func corpus(_ counts: [(String, Int)], text: (Int) -> String = { "text \($0)" }) -> [String] {
    var labels = counts.flatMap { Array(repeating: $0.0, count: $0.1) }
    var generator = SeededGenerator(seed: 99)
    generator.shuffle(&labels)
    return labels.enumerated().map { "{\"label\":\"\($1)\", \"text\":\"\(text($0))\",\"n\":\($0)}" }
}

private func reader(_ lines: [String]) -> RecordReader {
    RecordReader(LineReader(ByteSource(bytes: Array(lines.joined(separator: "\n").utf8), name: "test")))
}

/// What `body` writes to a sink.
private func written(_ body: (ByteSink) throws -> Void) throws -> [String] {
    let directory = try TemporaryDirectory()
    let path = directory.file("out")
    let file = try AtomicFile(path: path)
    try body(file.sink)
    try file.commit()
    let text = try String(decoding: ByteSource(path: path).readAll(maximum: 1 << 24), as: UTF8.self)
    return text.split(separator: "\n").map(String.init)
}

@Suite("Seeded generator")
struct SeededGeneratorTests {
    @Test("the sequence is that of xoshiro256** seeded by SplitMix64")
    func reference() {
        // SplitMix64 of 0, from its author's reference implementation.
        #expect(SeededGenerator(seed: 0).state.0 == 0xE220_A839_7B1D_CDAF)
        #expect(SeededGenerator(seed: 0).state.1 == 0x6E78_9E6A_A1B9_65F4)
        // xoshiro256** from the state 1, 2, 3, 4, as in the tests of several implementations.
        var generator = SeededGenerator(state: (1, 2, 3, 4))
        let first = (0..<4).compactMap { _ in generator?.next() }
        #expect(first == [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240])
        #expect(SeededGenerator(state: (0, 0, 0, 0)) == nil)
    }

    @Test("integers are below their bound and spread evenly")
    func integers() {
        var generator = SeededGenerator(seed: 3)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[generator.nextInteger(below: 7)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 500 }, "seed 3: \(counts)")
        #expect(generator.nextInteger(below: 1) == 0)
        #expect((0..<1000).allSatisfy { _ in generator.nextInteger(below: .max) >= 0 })
    }

    @Test("normal numbers have mean 0 and variance 1")
    func normal() {
        var generator = SeededGenerator(seed: 4)
        let values = (0..<50_000).map { _ in generator.nextNormal() }
        let mean = values.reduce(0, +) / 50_000
        let variance = values.reduce(0) { $0 + $1 * $1 } / 50_000
        #expect(abs(mean) < 0.02 && abs(variance - 1) < 0.03, "seed 4: \(mean) \(variance)")
        #expect((0..<1000).allSatisfy { _ in 0..<1 ~= generator.nextUniform() })
    }
}

@Suite("Balancing")
struct BalancerTests {
    @Test("every class keeps as many as the rarest has, with its bytes and in its order")
    func rarest() throws {
        let input = corpus([("ham", 40), ("spam", 7), ("é", 12)])
        var report: Balancer.Report?
        let output = try written { report = try Balancer().balance(reader(input), into: $0) }
        #expect(report?.perClass == 7 && output.count == 21)
        #expect(report?.counts.map(\.label) == ["ham", "spam", "é"])
        let kept = Set(output)
        #expect(input.filter(kept.contains) == output)
        for label in ["ham", "spam", "é"] { #expect(output.count { $0.contains("\"\(label)\"") } == 7) }
        #expect(try written { _ = try Balancer().balance(reader(input), into: $0) } == output)
        #expect(try written { _ = try Balancer(seed: 5).balance(reader(input), into: $0) } != output)
    }

    @Test("C45: a class with too few records is named")
    func tooFew() throws {
        let input = corpus([("ham", 40), ("spam", 7)])
        let sink = ByteSink(descriptor: -1, name: "nowhere")
        #expect(throws: BalancerError.tooFew(source: "test", label: "spam", count: 7, needed: 8)) {
            try Balancer(perClass: 8).balance(reader(input), into: sink)
        }
        let error = try #require(throws: BalancerError.self) {
            try Balancer(expectedLabels: ["ham", "eggs\u{1B}"]).balance(reader(input), into: sink)
        }
        #expect(error.description.contains("class has 0") && error.description.contains("\\u{1B}"))
    }

    @Test(
        "C42: a label that is missing, null, empty or a number is an error with its line",
        arguments: [
            "{\"text\":\"a\"}", "{\"label\":null}", "{\"label\":\"\"}", "{\"label\":1}", "{\"label\":[]}", "", "[]",
            "7",
        ])
    func labels(line: String) throws {
        let sink = ByteSink(descriptor: -1, name: "nowhere")
        let error = try #require(throws: RecordError.self) {
            try Balancer().balance(reader(["{\"label\":\"a\"}", line, ""]), into: sink)
        }
        #expect(error.diagnosis.position == .line(2) && error.diagnosis.status == .badData)
    }
}

@Suite("Splitting")
struct SplitterTests {
    @Test("sizes are those of the chapter, exactly, also where binary fractions would be off by one")
    func sizes() {
        #expect(Fractions.standard.sizes(of: 1494) == [1045, 149, 300])
        #expect(Fractions.standard.sizes(of: 10) == [7, 1, 2])
        #expect(Fractions.standard.sizes(of: 90) == [63, 9, 18])
        #expect(Fractions("0.8,.2,0")?.sizes(of: 5) == [4, 1, 0])
        #expect(Fractions("1,0,0")?.sizes(of: .max) == [.max, 0, 0])
    }

    @Test(
        "C47: shares that aren't three decimals adding up to 1 are refused",
        arguments: [
            "", "0.7", "0.7,0.3", "0.7,0.1,0.1", "1.1,-0.1,0", "-0.7,0.1,0.2", "nan,0,1", "0.7,0.1,0.2,0", "a,b,c",
            ".,1,0",
            "1e0,0,0", "0.7,0.1,0.2 ", "2,0,-1", "0.0000000001,0.9999999999,0",
        ])
    func fractions(text: String) { #expect(Fractions(text) == nil) }

    @Test("C49: parts are disjoint and make up the input; C46: the same seed gives the same bytes")
    func parts() throws {
        let input = corpus([("ham", 700), ("spam", 300)])
        for (stratified, grouped) in [(false, false), (true, false), (false, true), (true, true)] {
            let splitter = Splitter(isStratified: stratified, groupsByText: grouped)
            let split = try splitter.split(reader(input))
            #expect(Part.allCases.map(split.count) == [700, 100, 200])
            let parts = try Part.allCases.map { part in try written { try split.write(part, to: $0) } }
            #expect(parts.flatMap { $0 }.sorted() == input.sorted())
            let again = try splitter.split(reader(input))
            #expect(try written { try again.write(.test, to: $0) } == parts[2])
            if stratified {
                #expect(parts.map { $0.count { $0.contains("spam") } } == [210, 30, 60])
            }
        }
    }

    @Test("C48: equal texts stay together, case and white space aside, and the sizes stay near")
    func groups() throws {
        let texts = ["Call NOW", "call  now ", " cALL\\tnow", "Straße é", "STRAßE É"]
        let input = corpus([("ham", 500), ("spam", 500)]) { $0 % 4 == 0 ? texts[$0 / 4 % 5] + "\($0 % 16)" : "t\($0)" }
        let split = try Splitter(groupsByText: true).split(reader(input))
        let parts = try Part.allCases.map { part in try written { try split.write(part, to: $0) } }
        var homes: [[UInt8]: Set<Int>] = [:]
        for (index, part) in parts.enumerated() {
            for line in part {
                let value = try JSONValue(parsing: Array(line.utf8))
                homes[foldedText(Array((value["text"]?.string ?? "").utf8)), default: []].insert(index)
            }
        }
        #expect(homes.values.allSatisfy { $0.count == 1 })
        #expect(parts.map(\.count) == [700, 100, 200])
    }

    @Test("texts are folded by case and white space, nothing else")
    func folding() {
        #expect(foldedText(Array("  Hello\t\n WORLD ".utf8)) == Array("hello world".utf8))
        #expect(foldedText(Array("ÀB\u{A0}\u{2003}c".utf8)) == Array("àb c".utf8))
        #expect(foldedText([]) == [])
    }
}
