// The one number that tokenizing needs from a model's config.json. The model reads the rest itself.

import Records

/// Why config.json doesn't say how many tokens the model takes.
public enum ContextLengthError: DiagnosableError, Equatable {
    /// config.json isn't JSON.
    case malformed(JSONError, path: String)
    /// `n_positions` is missing, or not a whole number from 1 to 2²⁰.
    case noPositions(path: String)

    public var diagnosis: Diagnosis {
        switch self {
        case .malformed(let error, let path):
            Diagnosis(
                source: path, position: .byte(error.offset), problem: error.reason,
                remedy: "fetch this model's config.json again", status: .configuration)
        case .noPositions(let path):
            Diagnosis(
                source: path, problem: "n_positions is missing or no number from 1 to 1048576",
                remedy: "fetch this model's config.json again", status: .configuration)
        }
    }
}

/// The longest text that a model takes, in tokens.
public enum ContextLength {
    /// `n_positions` of `config.json` in a model's directory; nil without such a file.
    ///
    /// - Throws: `StreamError` or ``ContextLengthError``.
    public static func ofModel(directory: String) throws -> Int? {
        let path = "\(directory)/config.json"
        let file: MappedFile
        do {
            file = try MappedFile(path: path, maximum: 64 << 20)
        } catch {
            if case .notFound = error { return nil }
            throw error
        }
        let config: JSONValue
        do {
            config = try JSONValue(parsing: withExtendedLifetime(file) { Array(file.bytes) })
        } catch {
            throw ContextLengthError.malformed(error, path: path)
        }
        guard let length = config["n_positions"]?.int, (1...1 << 20).contains(length) else {
            throw ContextLengthError.noPositions(path: path)
        }
        return length
    }
}
