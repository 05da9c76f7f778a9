// The model card, README.md of a model directory: what the model is, what made it, how good it is, how to use it.

import Evaluation
import Records

extension Classifier {
    /// The model card.
    ///
    /// - Parameter hasHeadBias: whether `score.bias` is among the weights.
    func card(hasHeadBias: Bool) -> String {
        var text = """
            ---
            pipeline_tag: text-classification
            tags:
            - gpt2
            ---
            # Text classifier

            GPT-2 with \(config.blocks) blocks of width \(config.width), fine-tuned to tell apart: \
            \(labels.map { "`\($0.printable)`" }.joined(separator: ", ")).

            | | |
            | --- | --- |
            | base | \(cell(origin)) |
            | pooling | \(pooling.rawValue) |
            | attention | \(config.isCausal ? "causal" : "to all positions (no causal mask)") |
            | length | \(paddedLength) tokens |

            """
        if let (settings, results) = training { text += rows(settings, results) }
        if let provenance { text += provenance.rows }
        if let matrix = training?.results.testClasses { text += table(matrix) }
        if let provenance { text += provenance.commandSection }
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

    private func rows(_ settings: TrainingSettings, _ results: TrainingEvent.EndSummary) -> String {
        var text = """
            | trained | \(settings.trainable)\(settings.adapterNote), \(results.steps) steps of \(settings.rowsOfStep) \
            rows\(results.keptNote), \
            learning rate \(settings.learningRate), weight decay \(settings.weightDecay), seed \(settings.seed) |
            | training accuracy | \(percent(results.trainingAccuracy)) |
            | validation accuracy | \(percent(results.validationAccuracy)) |

            """
        if let test = results.testAccuracy { text += "| test accuracy | \(percent(test)) |\n" }
        return text
    }

    /// What the labels of the test records are worth, one by one.
    private func table(_ matrix: ConfusionMatrix) -> String {
        var text = """

            ## Test results

            | label | precision | recall | F1 | records |
            | --- | --- | --- | --- | --- |

            """
        for (index, label) in matrix.labels.enumerated() {
            let ratios = [matrix.precision(index), matrix.recall(index), matrix.f1(index)]
            let shares = ratios.map { $0.map(percent) ?? "–" }
            text += "| \(cell(label)) | \(shares.joined(separator: " | ")) | \(matrix.support(index)) |\n"
        }
        return text
    }

    /// What Hugging Face's class does otherwise.
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

extension Provenance {
    fileprivate var rows: String {
        let sets = data.map { "\($0.part): \($0.records) records of \(cell($0.source))" }
        return """
            | data | \(sets.joined(separator: "; ")) |
            | date | \(date) |
            | CPU | \(cell(processor)) |

            """
    }

    /// Indented rather than fenced, because whatever a word holds can't end that.
    fileprivate var commandSection: String { "\n## Command\n\n    \(commandLine.printable)\n" }
}

private func percent(_ share: Double) -> String { "\((share * 10_000).rounded() / 100) %" }

/// `text` as it can stand in a cell of a table.
private func cell(_ text: String) -> String { text.printable.replacing("|", with: "\\|") }
