// measure: what `make bench` needs to know of single parts. Not installed.

import ArgumentParser
import Dispatch
import FilterSupport
import Records

@main
struct Measure: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure", abstract: "Measure single parts of the library.",
        subcommands: [MeasureMatmul.self, MeasureTokenizer.self, MeasurePretraining.self, MeasureGeneration.self])
}

/// Seconds since some moment.
func seconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

/// Prints one JSON object.
func printObject(_ members: KeyValuePairs<String, JSONValue>) throws {
    var json = JSONWriter()
    json.value(.object(members.map { JSONMember(key: $0.key, value: $0.value) }))
    json.newline()
    let sink = ByteSink.standardOutput()
    try sink.write(json.bytes)
    try sink.flush()
}
