// The file descriptors without which a filter doesn't begin. The system's threads need some, and end a process that has none left.

import Platform
import Records

/// Fewer files can be open than a filter needs to begin with.
struct TooFewDescriptors: DiagnosableError {
    /// Descriptors that have to be free.
    private static let least = 5

    var diagnosis: Diagnosis {
        Diagnosis(
            problem: "fewer than \(Self.least) more files can be opened", remedy: "raise the limit (ulimit -n)",
            status: .osLimit)
    }

    /// - Throws: an error of this type unless enough files can be opened now.
    static func checkBeginning() throws(TooFewDescriptors) {
        let opened = (0..<least).map { _ in dup(2) }
        for descriptor in opened where descriptor >= 0 { close(descriptor) }
        if opened.contains(where: { $0 < 0 }) && errno != EBADF { throw TooFewDescriptors() }
    }
}
