// Where a trained model comes from, for its model card: no number of the model depends on it.

import Platform
import Records

/// The data, the command, the machine and the time of a training run.
public struct Provenance: Sendable {
    /// The sets that were read: "training", "validation" or "test", where from, and how many records.
    public let data: [(part: String, source: String, records: Int)]
    /// The command's words, as a shell would take them.
    public let commandLine: String
    /// When training ended, in UTC: "2026-01-31 17:05 UTC".
    public let date: String
    /// The processor's name.
    public let processor: String

    /// The provenance of a run that has just ended on this machine.
    ///
    /// - Parameters:
    ///   - command: the words of its command line, its own name first.
    ///   - datasets: the sets that it has read.
    public init(command: [String], _ datasets: Datasets) {
        self.init(
            command: command,
            data: zip(["training", "validation", "test"], datasets.all).map { ($0, $1.source, $1.count) })
    }

    /// The provenance of a run that has just ended on this machine.
    ///
    /// - Parameters:
    ///   - command: the words of its command line, its own name first.
    ///   - data: the sets that it has read, where the card doesn't have them from elsewhere.
    public init(command: [String], data: [(part: String, source: String, records: Int)] = []) {
        self.data = data
        commandLine = ShellWords.joined(command)
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        date = """
            \(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1))-\(digits(parts.tm_mday)) \
            \(digits(parts.tm_hour)):\(digits(parts.tm_min)) UTC
            """
        processor = processorName()
    }
}

/// The system's name for the processor; "unknown" where it has none.
private func processorName() -> String {
    #if canImport(Darwin)
        var size = 0
        guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 1 else { return "unknown" }
        var name = [UInt8](repeating: 0, count: size)
        guard sysctlbyname("machdep.cpu.brand_string", &name, &size, nil, 0) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
    #else
        guard let bytes = try? ByteSource(path: "/proc/cpuinfo").readAll(maximum: 1 << 24) else { return "unknown" }
        let line = bytes.split(separator: 0x0A).first { $0.starts(with: "model name".utf8) }
        guard let name = line?.split(separator: UInt8(ascii: ":"), maxSplits: 1).last else { return "unknown" }
        return String(decoding: name.drop { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
    #endif
}
