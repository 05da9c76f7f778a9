// How much memory a filter may take for its input.

import ArgumentParser
import Platform

/// How much of the input is held.
public struct MemoryOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The memory for the input, in MiB; more is an error, and so is more than the system gives. (default: three \
            quarters of the machine's)
            """,
            valueName: "MiB"),
        transform: positiveInteger)
    public var maxMemory: Int?

    public init() {}

    /// In bytes.
    public var limit: Int {
        if let maxMemory { return maxMemory.multipliedReportingOverflow(by: 1 << 20).overflow ? .max : maxMemory << 20 }
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        return pages > 0 && pageSize > 0 ? pages / 4 * 3 * pageSize : .max
    }
}
