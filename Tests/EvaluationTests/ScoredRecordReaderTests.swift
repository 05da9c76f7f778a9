import Evaluation
import Records
import Testing

struct ScoredRecordReaderTests {
    private func read(_ text: String) throws -> ScoredRecords {
        var reader = ScoredRecordReader(LineReader(ByteSource(bytes: Array(text.utf8), name: "scores")))
        var records = ScoredRecords()
        while let record = try reader.next() { try records.add(record, source: reader.source) }
        records.finish()
        return records
    }

    private func line(_ expected: String, _ label: String, _ probabilities: String?) -> String {
        "{\"expected\":\"\(expected)\",\"label\":\"\(label)\""
            + (probabilities.map { ",\"probabilities\":\($0)" } ?? "") + "}\n"
    }

    @Test("scored records are read, and a record without a label is reported with its line")
    func scoredRecords() throws {
        let line = "{\"expected\":\"ham\",\"label\":\"spam\",\"text\":\"x\"}\n"
        #expect(try read(line + line).matrix[0, 1] == 2)
        #expect(
            throws: EvaluationError.missingLabel(field: "expected", source: "scores", line: 2, choice: .expectedField)
        ) { try read(line + "{\"line\":2,\"error\":\"no text\"}\n") }
        #expect(
            throws: EvaluationError.missingLabel(field: "label", source: "scores", line: 1, choice: .predictedField)
        ) { try read("{\"expected\":\"ham\"}\n") }
        #expect(throws: RecordError.self) { try read("not json\n") }
    }

    @Test("probabilities keep their labels in any order, and a label that the model doesn't know has 0")
    func orders() throws {
        let records = try read(
            line("z", "b", #"{"b":0.25,"a":0.75}"#) + line("a", "a", #"{"a":0.5,"b":0.5}"#))
        #expect(records.labels == ["a", "b", "z"])
        #expect(records.probabilities == [0.75, 0.25, 0, 0.5, 0.5, 0])
        #expect(records.expected == [2, 0] && records.predicted == [1, 0])
    }

    @Test(
        "probabilities that can't be are told with their line",
        arguments: [
            (#"{"a":0.5,"b":0.4}"#, "add up to 0.9"), (#"{"a":-0.5,"b":1.5}"#, "'a' isn't a number from 0 to 1"),
            (#"{"a":"x","b":1}"#, "'a' isn't a number"), ("[1]", "isn't an object"), (#"{"a":1e999,"b":1}"#, "'a'"),
            (#"{"a":1}"#, "of other labels"), (#"{"a":0.5,"c":0.5}"#, "of other labels"), (nil, "no probabilities in"),
        ])
    func badProbabilities(_ probabilities: String?, _ words: String) throws {
        do {
            _ = try read(line("a", "a", #"{"a":0.5,"b":0.5}"#) + line("a", "a", probabilities))
            Issue.record("passed")
        } catch let error as EvaluationError {
            #expect(error.diagnosis.message.contains(words), "\(error.diagnosis.message)")
            #expect(error.diagnosis.position == .line(2))
        }
        #expect(throws: EvaluationError.self) {
            try read(line("a", "a", nil) + line("a", "a", #"{"a":0.5,"b":0.5}"#))
        }
    }
}
