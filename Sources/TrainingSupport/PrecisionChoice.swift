// The number type of matrix products, as an option.

import ArgumentParser
import GPT2Kit

/// What `--precision` of a training filter takes.
public enum PrecisionChoice: String, CaseIterable, ExpressibleByArgument {
    /// 32 bits.
    case f32
    /// 16 bits.
    case bf16
    /// bf16 where that is faster, else f32.
    case auto

    /// The number type that is meant.
    public var precision: Precision { Precision(rawValue: rawValue) ?? .automatic }
}
