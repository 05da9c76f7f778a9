// The one thing about GPT-2's names that tells two models apart without reading their tensors.

/// Names of GPT-2's tensors.
package enum GPT2TensorName {
    /// The number of the block that a tensor belongs to, with or without Hugging Face's prefix; nil where it is of none.
    package static func block(of name: String) -> Int? {
        let parts = name.split(separator: ".").drop { $0 == "transformer" }
        return parts.first == "h" ? parts.dropFirst().first.flatMap { Int($0) } : nil
    }
}
