// The output of filters that write something else than text.

import Platform
import Records

extension ByteSink {
    /// The standard output of a filter that writes something else than text, which nobody wants on a terminal.
    ///
    /// - Throws: ``UsageError`` where stdout is a terminal.
    public static func binaryStandardOutput(of tool: String) throws -> ByteSink {
        guard isatty(1) == 0 else {
            throw UsageError(
                "the output is binary, and stdout is a terminal",
                remedy: "give it to a file or another filter: \(tool) … > file")
        }
        return standardOutput()
    }
}
