// Writes a converted model as a model directory.

import GPT2Kit
import Records

extension ConvertedModel {
    /// Writes the model directory. All of its files appear, or none.
    ///
    /// - Parameter precision: the number type of the weights in the file.
    /// - Throws: `StreamError` where it can't be written; `OutOfMemory`.
    public func write(directory: String, precision: StoredPrecision) throws {
        switch self {
        case .classifier(let model, let story):
            try model.write(directory: directory, precision: precision, story: story)
        case .language(let model, let output):
            try model.write(
                directory: directory, precision: precision, output: output, card: Self.card(model, output != nil))
        }
    }

    private static func card(_ model: PretrainedModel, _ hasOwnHead: Bool) -> String {
        """
        ---
        pipeline_tag: text-generation
        tags:
        - gpt2
        ---
        # Language model

        GPT-2 with \(model.config.blocks) blocks of width \(model.config.width) and \(model.config.heads) heads. It predicts the next token.

        | | |
        | --- | --- |
        | converted from | \(model.origin.tableCell) |
        | parameters | \(model.parameters.named.reduce(0) { $0 + $1.tensor.count }) |
        | longest text | \(model.config.positions) tokens |
        | vocabulary | \(model.tokenizer.vocabularySize) tokens, SHA-256 `\(model.tokenizer.sha256)` |
        | head | \(hasOwnHead ? "its own" : "the token embedding") |

        What it was trained on, and under which licence it may be used, the files that it was made of don't tell: that belongs here.

        ## Use

        `finetune --base DIRECTORY` starts from it. With Hugging Face transformers:
        `GPT2LMHeadModel.from_pretrained("DIRECTORY")`.

        """
    }
}
