// Runs a built filter as a process, the way a shell does.

import Foundation
import Testing

/// What a process left behind.
struct FilterResult {
    var output: Data
    var errors: String
    /// The exit code; 128 + the number where a signal ended it, as a shell reports it.
    var status: Int32

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
    var errorLines: [Substring] { errors.split(separator: "\n") }
}

/// The folder that `swift build` puts the binaries into: the one that this test bundle is in.
let binaries: URL = {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: bundle).standardizedFileURL.deletingLastPathComponent()
}()

/// Runs a shell command with the binaries' folder first in PATH.
func shell(_ command: String, input: Data = Data(), in folder: URL? = nil) throws -> FilterResult {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = "\(binaries.path):\(environment["PATH"] ?? "/usr/bin:/bin")"
    process.environment = environment

    // Files instead of pipes, so that no reader has to keep up.
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let names = ["in", "out", "err"].map { scratch.appendingPathComponent($0) }
    try input.write(to: names[0])
    for name in names[1...] { try Data().write(to: name) }
    process.standardInput = try FileHandle(forReadingFrom: names[0])
    process.standardOutput = try FileHandle(forWritingTo: names[1])
    process.standardError = try FileHandle(forWritingTo: names[2])
    // A process inherits which signals are blocked, and the threads that tests run on block them all.
    var none = sigset_t()
    var blocked = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &blocked)
    defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
    try process.run()
    process.waitUntilExit()
    let signalled = process.terminationReason == .uncaughtSignal
    return FilterResult(
        output: try Data(contentsOf: names[1]), errors: String(decoding: try Data(contentsOf: names[2]), as: UTF8.self),
        status: process.terminationStatus + (signalled ? 128 : 0))
}

/// The contract for errors: the code, one line `tool: source…: problem: remedy`.
func expectFailure(
    _ result: FilterResult, _ status: Int32, _ tool: String, _ words: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(result.status == status, "\(result.errors)", sourceLocation: sourceLocation)
    #expect(result.errorLines.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
    #expect(result.errors.contains(words), "\(result.errors)", sourceLocation: sourceLocation)
    let parts = result.errors.components(separatedBy: ": ")
    #expect(parts.count >= 4 && parts[0] == tool, "\(result.errors)", sourceLocation: sourceLocation)
    #expect(result.output.isEmpty || result.output.last == 0x0A, sourceLocation: sourceLocation)
}
