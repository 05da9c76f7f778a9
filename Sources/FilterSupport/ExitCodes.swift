// The exit codes that a filter's help lists.

import Records

/// A filter's exit codes, with what each means there.
public struct ExitCodes {
    /// Those of every filter.
    private static let common: [Int32: String] = [
        ExitStatus.usage.rawValue: "usage", ExitStatus.noInput.rawValue: "no such file",
        ExitStatus.osLimit.rawValue: "too little memory", ExitStatus.ioError.rawValue: "read or write error",
        ExitStatus.noPermission.rawValue: "permission denied",
    ]
    /// Those of filters that clean up when a signal ends them.
    private static let signals: [Int32: String] = [
        129: "ended by HUP", ExitStatus.interrupted.rawValue: "ended by INT",
        ExitStatus.terminated.rawValue: "ended by TERM",
    ]

    private var meanings: [Int32: String]

    /// - Parameters:
    ///   - own: those that mean something else in each filter.
    ///   - cleansUp: whether signals end the filter in order.
    ///   - opensFiles: whether it can meet a file that isn't there.
    public init(_ own: [ExitStatus: String], cleansUp: Bool = false, opensFiles: Bool = true) {
        meanings = Self.common
        if !opensFiles { meanings[ExitStatus.noInput.rawValue] = nil }
        if cleansUp { meanings.merge(Self.signals) { $1 } }
        for (status, meaning) in own { meanings[status.rawValue] = meaning }
    }

    /// A section of a help text, a line for each code.
    var section: String {
        let lines = meanings.sorted { $0.key < $1.key }.map { code, meaning in
            "  \(code)\(String(repeating: " ", count: code < 100 ? 3 : 2))\(meaning)"
        }
        return (["EXIT CODES"] + lines).joined(separator: "\n")
    }
}
