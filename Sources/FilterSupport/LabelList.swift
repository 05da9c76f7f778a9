// A list of labels on the command line.

import ArgumentParser

/// What `--labels` takes.
public enum LabelList {
    /// The labels of `text`, separated by commas.
    ///
    /// - Throws: `ValidationError` for an empty one.
    public static func parse(_ text: String) throws -> [String] {
        // Bytes are split: a comma with a combining mark behind it is one character.
        let labels = text.utf8.split(separator: 0x2C, omittingEmptySubsequences: false)
        guard !labels.contains(where: \.isEmpty) else { throw ValidationError("--labels has an empty label") }
        return labels.compactMap { String($0) }
    }
}
