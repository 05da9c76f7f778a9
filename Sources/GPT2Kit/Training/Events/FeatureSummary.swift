// What the features of a run took.

/// How the features of a run were prepared before training.
public struct FeatureSummary: Sendable, Equatable {
    /// Where the features are.
    public enum Place: String, Sendable {
        /// The memory of the process.
        case memory
        /// A file without a name in $TMPDIR, because memory doesn't hold them.
        case temporaryFile = "temporary-file"
        /// The directory that the user named.
        case directory
    }

    /// Where the features are.
    public let place: Place
    /// Tokens that went through the frozen blocks now.
    public let computedTokens: Int
    /// Tokens whose features were in the directory.
    public let reusedTokens: Int
    /// Tokens whose features belong to another part of the work (``FineTuner/featurePart``).
    public let skippedTokens: Int
    /// Bytes of all features.
    public let bytes: Int
    /// Seconds from beginning to end.
    public let seconds: Double
}
