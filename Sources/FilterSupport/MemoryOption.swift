// How much memory a filter may take for its input.

import ArgumentParser
import Records

/// How much of the input is held.
public struct MemoryOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The memory for the input, in MiB; more is an error, and so is more than the system gives. (default: three \
            quarters of the machine's, or of the container's)
            """,
            valueName: "MiB"),
        transform: positiveInteger)
    public var maxMemory: Int?

    public init() {}

    /// In bytes.
    public var limit: Int {
        if let maxMemory { return maxMemory.multipliedReportingOverflow(by: 1 << 20).overflow ? .max : maxMemory << 20 }
        return MemoryBudget().limit / 4 * 3
    }
}
