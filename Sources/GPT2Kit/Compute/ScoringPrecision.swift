// The number type of scoring, as people name it.

/// A number type, or the best one for this CPU.
public enum ScoringPrecision: String, Sendable, CaseIterable {
    /// 32-bit floating point.
    case f32
    /// 16-bit brain floating point.
    case bf16
    /// 8-bit integers.
    case int8
    /// bf16 where that is faster, else f32.
    case auto

    /// The number type that is meant.
    public var precision: Precision { Precision(rawValue: rawValue) ?? .automatic }
}
