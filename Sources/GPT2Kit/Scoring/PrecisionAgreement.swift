// How much precision costs: the scores of some texts in two precisions, compared.

/// How far scores are from those of the same texts in another precision.
public struct PrecisionAgreement: Sendable, Equatable {
    /// Texts that were scored twice.
    public private(set) var texts = 0
    /// Those of them that got another label.
    public private(set) var otherLabels = 0
    /// The largest difference of a probability.
    public private(set) var largestDifference = 0.0

    /// - Parameters:
    ///   - scores: of some texts.
    ///   - reference: of the same texts, in the other precision.
    public init(_ scores: [Score], _ reference: [Score]) {
        for (score, expected) in zip(scores, reference) {
            texts += 1
            if score.label != expected.label { otherLabels += 1 }
            for (p, q) in zip(score.probabilities, expected.probabilities) {
                largestDifference = max(largestDifference, abs(p - q))
            }
        }
    }

    /// Texts, given as their tokens, scored by `classifier` in int8 and in the fastest floating point of this CPU.
    public static func int8(
        _ classifier: Classifier, _ texts: [[Int32]], workers: Workers
    ) throws -> PrecisionAgreement {
        func scores(_ precision: Precision) throws -> [Score] {
            try Scorer(classifier, precision: precision, workers: workers).score(tokens: texts)
        }
        return PrecisionAgreement(try scores(.int8), try scores(.automatic))
    }
}
