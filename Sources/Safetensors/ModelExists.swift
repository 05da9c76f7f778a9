// A directory that holds a model, where a new one is to be written.

import Records

/// The directory holds a model already, of this project or another.
public struct ModelExists: DiagnosableError, Equatable {
    let directory: String
    private static let weights: Set = ["model.safetensors", WeightFiles.indexName]

    /// Fails where `directory` holds a model that a new one would replace.
    package static func requireNone(in directory: String) throws(ModelExists) {
        try requireNone(of: weights.union(["config.json"]), in: directory)
    }

    /// Fails where `directory` holds weights, which belong to the tokenizer beside them.
    package static func requireNoWeights(in directory: String) throws(ModelExists) {
        try requireNone(of: weights, in: directory)
    }

    private static func requireNone(of files: Set<String>, in directory: String) throws(ModelExists) {
        if let names = Directory.entryNames(of: directory), !files.isDisjoint(with: names) {
            throw ModelExists(directory: directory)
        }
    }

    public var diagnosis: Diagnosis {
        Diagnosis(
            source: directory, problem: "a model already exists here",
            remedy: "name another directory, or replace the model", status: .cannotCreate, choice: .replacing)
    }
}
