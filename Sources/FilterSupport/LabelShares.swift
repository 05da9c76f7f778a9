// Shares of labels on the command line.

import ArgumentParser
import Records

/// What `--prevalence` takes.
public enum LabelShares {
    /// Reads `LABEL=SHARE`, several of them separated by commas.
    ///
    /// - Throws: ``UsageError``.
    public static func parse(_ words: [String]) throws -> [(label: String, share: Double)] {
        try words.flatMap { $0.split(separator: ",") }.map { part in
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count > 1, let share = Double(sides[sides.count - 1]), (0...1).contains(share) else {
                throw UsageError("'\(part)' is not LABEL=SHARE", remedy: "write it like --prevalence spam=0.134")
            }
            return (sides.dropLast().joined(separator: "="), share)
        }
    }
}
