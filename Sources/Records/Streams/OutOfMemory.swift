// The one error of memory that the system doesn't give. Where nobody can throw it, Interruption+Memory.swift tells it.

/// The system doesn't give the memory that is needed.
public struct OutOfMemory: DiagnosableError, Equatable {
    /// The bytes that were asked for.
    public let bytes: Int
    /// Always with ``ExitStatus/osLimit``.
    public let diagnosis: Diagnosis

    /// - Parameters:
    ///   - bytes: how many were asked for.
    ///   - source: whose memory it is: an input's name, or `memory` where it is that of no input.
    ///   - line: the input's line at which it was asked for.
    ///   - problem: what is wrong, without a full stop; nil says that `bytes` more are needed.
    ///   - remedy: what to do about it, without a full stop.
    public init(
        bytes: Int, source: String = "memory", line: Int? = nil, problem: String? = nil, remedy: String? = nil
    ) {
        self.bytes = bytes
        diagnosis = Diagnosis(
            source: source, position: line.map { .line($0) },
            problem: problem ?? "out of memory (\(Memory.text(bytes)) more are needed)",
            remedy: remedy ?? Memory.remedy, status: .osLimit)
    }

    /// Lines of an input that don't fit.
    package static func input(_ source: String, line: Int, bytes: Int) -> OutOfMemory {
        OutOfMemory(
            bytes: bytes, source: source, line: line,
            remedy: "free memory, raise the limit (ulimit -v), or work on a part of the input")
    }

    /// Asks for what a program needs before it begins.
    ///
    /// - Throws: an error of this type unless the system would give `bytes` more now.
    public static func checkBeginning(_ bytes: Int) throws(OutOfMemory) {
        if Memory.isAvailable(bytes) { return }
        throw OutOfMemory(
            bytes: bytes, problem: "\(Memory.text(bytes)) are needed to begin with, more than the system gives")
    }
}
