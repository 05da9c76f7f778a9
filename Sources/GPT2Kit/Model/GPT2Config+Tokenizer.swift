// Whether a tokenizer can belong to a model.

import Tokenization

extension GPT2Config {
    /// Refuses a tokenizer with more tokens than the model has.
    ///
    /// - Parameters:
    ///   - tokenizer: the tokenizer of the model's texts.
    ///   - directory: what the error calls it.
    /// - Throws: ``ModelError/mismatch(_:remedy:choice:file:)``.
    func requireRoom(for tokenizer: Tokenizer, of directory: String) throws(ModelError) {
        guard tokenizer.vocabularySize <= vocabularySize else {
            throw .mismatch(
                "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(vocabularySize)",
                remedy: "use the model's own tokenizer", file: directory)
        }
    }
}
