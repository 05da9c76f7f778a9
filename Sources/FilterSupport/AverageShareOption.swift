// How much of an average is another model's.

import ArgumentParser

/// The share of what `--average` names.
public struct AverageShareOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What --average counts in the mean; the model counts the rest. (default: 0.5)", valueName: "share"),
        transform: NumberArgument.share)
    var averageShare: Double?

    public init() {}

    /// The share, 0 ..< 1.
    public var share: Double { averageShare ?? 0.5 }

    /// Refuses a share of nothing.
    ///
    /// - Parameter average: what `--average` names; nil where it isn't given.
    /// - Throws: `ValidationError`.
    public func requireAverage(_ average: String?) throws {
        guard averageShare == nil || average != nil else {
            throw ValidationError("--average-share goes with --average")
        }
    }
}
