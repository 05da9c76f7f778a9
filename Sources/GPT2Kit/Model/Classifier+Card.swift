// The model card, README.md of a model directory: what the model is, how it was trained, how to use it.

import Records

extension Classifier {
    /// The model card.
    ///
    /// - Parameter hasHeadBias: whether `score.bias` is among the weights.
    func card(_ story: ModelStory, hasHeadBias: Bool) -> String {
        var text = """
            ---
            pipeline_tag: text-classification
            tags:
            - gpt2
            \(story.cardMetadata)---
            # Text classifier

            GPT-2 with \(config.blocks) blocks of width \(config.width), fine-tuned to tell apart: \
            \(labels.map { "`\($0.printable)`" }.joined(separator: ", ")).

            | | |
            | --- | --- |
            | base | \(origin.tableCell) |
            | pooling | \(pooling.rawValue) |
            | attention | \(config.isCausal ? "causal" : "to all positions (no causal mask)") |
            | length | \(paddedLength) tokens |

            """
        text += story.cardRows + uses + story.cardSections + limits
        let differences = differences(hasHeadBias: hasHeadBias)
        text += """

            ## Use

            `score --model DIRECTORY < messages.txt` scores one message per line. With Hugging Face transformers:
            `pipeline("text-classification", model="DIRECTORY", truncation=True)`\(differences.isEmpty ? """
             cuts texts
            at \(paddedLength) tokens, as `score` does.
            """ : """
             loads the weights too, but \(differences.joined(separator: ", and ")): its results differ there.
            """)

            """
        return text
    }

    private var uses: String {
        """

        ## Intended use

        It labels texts of the kind that it was trained on. It doesn't know whether a text is of that kind: any text gets one of
        its labels.

        """
    }

    private var limits: String {
        """

        ## Limits

        - Of a text, the first \(paddedLength) tokens are read.
        - Texts of another kind, language or time than those of training get worse labels, and probabilities that are too sure.
        - The numbers here hold for texts like the test records, at their ratio of labels. `evaluate` can tell them at another one.
        - What the base has learned from its texts, the model has too: read the base's card.

        """
    }

    /// What Hugging Face's class does differently.
    private func differences(hasHeadBias: Bool) -> [String] {
        var differences: [String] = []
        if pooling != .lastToken {
            differences.append("reads the last token, where this model was trained to read `\(pooling.rawValue)`")
        }
        if !config.isCausal {
            differences.append(
                "`GPT2ForSequenceClassification` can't leave out the causal mask, without which this model was trained")
        }
        if hasHeadBias { differences.append("doesn't know `score.bias`, which this model's head needs") }
        return differences
    }
}
