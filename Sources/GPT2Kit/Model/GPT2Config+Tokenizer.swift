// Whether a tokenizer can belong to a model.

import Records
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

    /// Refuses a tokenizer that isn't the one of a base, as far as that tells.
    ///
    /// - Parameters:
    ///   - tokenizer: the tokenizer of the texts to be learned.
    ///   - tokenizerDirectory: where it comes from.
    ///   - json: config.json of the base, which is `directory`.
    ///   - own: what `gpt2kit` of it says.
    ///   - directory: the base.
    /// - Throws: ``ModelError/mismatch(_:remedy:choice:file:)``.
    func require(
        _ tokenizer: Tokenizer, of tokenizerDirectory: String, _ json: JSONValue, _ own: OwnConfiguration,
        base directory: String
    ) throws(ModelError) {
        func refuse(_ what: String) -> ModelError {
            .mismatch(what, remedy: "use the model's own tokenizer", file: tokenizerDirectory)
        }
        try requireRoom(for: tokenizer, of: tokenizerDirectory)
        if let end = json["eos_token_id"]?.int, end != Int(tokenizer.endOfText) {
            throw refuse(
                "\(Tokenizer.endOfTextName) is token \(tokenizer.endOfText) of the tokenizer, and \(end) of the model")
        }
        if let hash = own.tokenizerSHA256, !tokenizer.isIdentified(by: hash) {
            throw refuse("the tokenizer isn't the one that the model was trained with")
        }
        if tokenizer.vocabularySize < vocabularySize, own.tokenizerSHA256 == nil, tokenizerDirectory != directory {
            throw refuse("the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(vocabularySize)")
        }
    }
}
