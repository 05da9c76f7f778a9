// Every way in which a text can't be continued.

import Records

/// Why a prompt has no continuation.
public enum GenerationError: DiagnosableError, Equatable {
    /// A prompt has more tokens than the model has positions.
    case promptTooLong(tokens: Int, positions: Int)
    /// The model doesn't tell which token comes next.
    case logitsNotFinite

    public var diagnosis: Diagnosis {
        switch self {
        case .promptTooLong(let tokens, let positions):
            Diagnosis(
                problem: "the prompt has \(tokens) tokens, and the model takes \(positions)", remedy: "shorten it",
                status: .badData)
        case .logitsNotFinite:
            Diagnosis(
                source: "model", problem: "its numbers are infinite or NaN", remedy: "train or fetch the model again",
                status: .badData)
        }
    }
}
