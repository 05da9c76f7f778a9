import Records
import TestSupport
import Testing

struct BalancerTests {
    @Test("every class keeps as many as the rarest has, with its bytes and in its order")
    func rarestClass() throws {
        let input = corpus([("ham", 40), ("spam", 7), ("é", 12)])
        var report: Balancer.Report?
        let output = try writtenLines { report = try Balancer().balance(reader(input), into: $0) }
        #expect(report?.perClass == 7 && output.count == 21)
        #expect(report?.counts.map(\.label) == ["ham", "spam", "é"])
        let kept = Set(output)
        #expect(input.filter(kept.contains) == output)
        for label in ["ham", "spam", "é"] { #expect(output.count { $0.contains("\"\(label)\"") } == 7) }
        #expect(try writtenLines { _ = try Balancer().balance(reader(input), into: $0) } == output)
        #expect(try writtenLines { _ = try Balancer(seed: 5).balance(reader(input), into: $0) } != output)
    }

    @Test("the limit of memory is for what is kept of every record and of every label, too")
    func memoryOfLabels() throws {
        let input = corpus((0..<300).map { ("label \($0)", 1) })
        let error = try #require(throws: StreamError.self) {
            try writtenLines { _ = try Balancer(maximumMemory: 45_000).balance(reader(input), into: $0) }
        }
        guard case .memoryExceeded(source: "test", line: _, maximum: 45_000) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(
            try writtenLines { _ = try Balancer(maximumMemory: 150_000).balance(reader(input), into: $0) }.count == 300)
    }

    @Test("a class with too few records is named [C45]")
    func tooFewRecords() throws {
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
        "a label that is missing, null, empty or a number is an error with its line [C42]",
        arguments: [
            "{\"text\":\"a\"}", "{\"label\":null}", "{\"label\":\"\"}", "{\"label\":1}", "{\"label\":[]}", "", "[]",
            "7",
        ])
    func unusableLabels(line: String) throws {
        let sink = ByteSink(descriptor: -1, name: "nowhere")
        let error = try #require(throws: RecordError.self) {
            try Balancer().balance(reader(["{\"label\":\"a\"}", line, ""]), into: sink)
        }
        #expect(error.diagnosis.position == .line(2) && error.diagnosis.status == .badData)
    }
}
