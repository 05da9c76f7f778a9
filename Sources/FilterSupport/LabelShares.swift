// Shares of labels on the command line.

import ArgumentParser
import Records

/// What `--prevalence` takes.
public enum LabelShares {
    /// Reads `LABEL=SHARE`, several of them separated by commas. A comma ends a pair only if a share stands before it.
    ///
    /// - Throws: ``UsageError``.
    public static func parse(_ words: [String]) throws -> [(label: String, share: Double)] {
        do {
            return try words.flatMap { try LabelNumbers.pairs($0, accepts: (0...1).contains) }
                .map { (label: $0.label, share: $0.number) }
        } catch let mistake as LabelNumbers.Mistake {
            throw UsageError(
                "'\(mistake.text)' is not LABEL=SHARE", remedy: "write it like --prevalence spam=0.134")
        }
    }
}
