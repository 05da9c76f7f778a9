// How many cores a filter uses.

import ArgumentParser
import Platform

/// The number of threads that compute. It changes how long a result takes, not the result.
public struct ThreadsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("Threads to compute with. (default: one for every core)", valueName: "n"),
        transform: positiveInteger)
    public var threads: Int?

    public init() {}

    /// At least 1 and at most 1,024.
    public var count: Int { min(threads ?? Platform.cores, 1024) }
}
