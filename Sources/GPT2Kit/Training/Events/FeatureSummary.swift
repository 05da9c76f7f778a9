// What the frozen blocks took.

/// What happened before training could begin.
public struct FeatureSummary: Sendable, Equatable {
    /// Where the frozen blocks' output is.
    public enum Place: String, Sendable {
        case memory
        /// More than memory holds: a file without a name in $TMPDIR.
        case temporaryFile = "temporary-file"
        /// The directory that the user named.
        case directory
    }

    public let place: Place
    /// Tokens that went through the frozen blocks, and those whose output was in the directory.
    public let computedTokens: Int
    public let reusedTokens: Int
    /// Bytes of all states.
    public let bytes: Int
    public let seconds: Double
}
