// The model card, README.md of a language model's directory.

import Records

extension TrainedLanguageModel {
    var card: String {
        let config = model.config
        var text = """
            ---
            pipeline_tag: text-generation
            tags:
            - gpt2
            ---
            # Language model

            GPT-2 with \(config.blocks) blocks of width \(config.width) and \(config.heads) heads, for texts of up to \
            \(config.positions) tokens of a vocabulary of \(config.vocabularySize). It predicts the next token.

            | | |
            | --- | --- |
            | base | \(model.origin.tableCell)\(embeddingNote) |
            | parameters | \(Int(config.parameterCount)) |
            | trained | \(results.steps) steps of \(settings.rows) rows, \(results.tokens) tokens\(endNote), learning \
            rate \(settings.learningRate) (\(settings.schedule.shape.rawValue)), weight decay \(settings.weightDecay), \
            seed \(settings.seed) |
            | weights | \(weights) |
            | validation loss | \(rounded(results.kept.loss)) nats a token |

            """
        if let bits = results.kept.bitsPerByte { text += "| bits per byte | \(rounded(bits)) |\n" }
        for (part, corpus) in corpora {
            text += """
                | \(part) data | \(corpus.source.tableCell): \(corpus.count) rows, \(corpus.tokens) tokens, SHA-256 \
                `\(corpus.sha256)` |

                """
        }
        text += provenance.map { $0.machineRows + $0.commandSection } ?? ""
        return text + """

            ## Use

            `finetune --base DIRECTORY` and `pretrain --base DIRECTORY` start from it. With Hugging Face transformers:
            `GPT2LMHeadModel.from_pretrained("DIRECTORY")`.

            """
    }

    private var endNote: String { results.reason == .maxMinutes ? " (the time was up before the last step)" : "" }

    private var embeddingNote: String {
        settings.embeddings == .cooccurrence ? "; the token embedding from co-occurrence in the training data" : ""
    }

    private var weights: String {
        guard let average = results.average else { return "those after the last step" }
        let losses = "validation loss \(rounded(average.loss)), of the last \(rounded(results.last.loss))"
        return results.keepsAverage
            ? "the average over the last fifth of the steps (\(losses))"
            : "those after the last step (of the average over the last fifth: \(losses))"
    }
}

/// With four digits behind the point.
private func rounded(_ number: Double) -> String { "\((number * 10_000).rounded() / 10_000)" }
