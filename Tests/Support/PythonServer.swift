// A web server on this machine that misbehaves on demand: Python's own, in a process of its own.

import Foundation

/// Starts with `init`, and ends when it goes away, or when the tests end in whatever way: its stdin ends then.
package final class PythonServer {
    private let port: Int
    private let scheme: String
    private let process = Process()
    private let lifeline = Pipe()

    /// nil where the machine has no python3.
    package static let python = program("python3")

    /// The path of a program, nil where the machine doesn't have it.
    package static func program(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    package struct Failure: Error {}

    /// `script` prints its port as its first line, and ends with its stdin. It runs in `folder`.
    package init(_ script: String, scheme: String = "http", in folder: Folder? = nil) throws {
        guard let python = Self.python else { throw Failure() }
        self.scheme = scheme
        let output = Pipe()
        process.executableURL = URL(filePath: python)
        process.arguments = ["-c", script]
        process.currentDirectoryURL = folder?.url
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = lifeline
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else { throw Failure() }
        self.port = port
    }

    deinit {
        try? lifeline.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    package func address(_ path: String) -> String { "\(scheme)://127.0.0.1:\(port)/\(path)" }
}
