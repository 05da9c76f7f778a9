// The part of a model card that tells how the model was trained, and how good it is.

import Evaluation
import Records

extension TrainedClassifier {
    var cardRows: String { trainingRows + (provenance?.rows ?? "") }

    var cardSections: String { (results.testClasses.map(table) ?? "") + (provenance?.commandSection ?? "") }

    /// The results as Hugging Face's cards have them, a `model-index`; nothing where there was no test set.
    var cardMetadata: String {
        guard let matrix = results.testClasses, matrix.total > 0 else { return "" }
        func quoted(_ text: String) -> String {
            var json = JSONWriter()
            json.string(text)
            return String(decoding: json.bytes, as: UTF8.self)
        }
        let source = provenance?.data.first { $0.part == "test" }?.source ?? "test records"
        var text = """
            model-index:
            - name: \(quoted("Text classifier: \(classifier.labels.map(\.printable).joined(separator: ", "))"))
              results:
              - task:
                  type: text-classification
                  name: Text classification
                dataset:
                  type: local
                  name: \(quoted("\(source.printable), \(matrix.total) records"))
                metrics:

            """
        for (type, name, value) in [
            ("accuracy", "Accuracy", matrix.accuracy),
            ("balanced_accuracy", "Balanced accuracy", matrix.balancedAccuracy),
            ("f1", "Macro F1", matrix.macroF1),
        ] {
            guard let value else { continue }
            text += "    - type: \(type)\n      name: \(name)\n      value: \(value)\n"
        }
        return text
    }

    /// " (rank 16, alpha 16.0)" after the name of the trainable set.
    private var adapterNote: String {
        if case .lora(let lora) = settings.trainable { " (rank \(lora.rank), alpha \(lora.alpha))" } else { "" }
    }

    /// " (the weights after step 7 kept)" where these aren't the last.
    private var keptNote: String {
        switch results.kept {
        case .step(results.steps - 1): ""
        case .step(let step): " (the weights after step \(step) kept)"
        case .average: " (the average of the weights of the last fifth kept)"
        }
    }

    private var trainingRows: String {
        var text = """
            | trained | \(settings.trainable)\(adapterNote), \(results.steps) steps of \(settings.rowsOfStep) \
            rows\(keptNote), \
            learning rate \(settings.learningRate), weight decay \(settings.weightDecay), seed \(settings.seed) |
            | training accuracy | \(percent(results.trainingAccuracy)) |
            | validation accuracy | \(percent(results.validationAccuracy)) |

            """
        if let test = results.testAccuracy { text += "| test accuracy | \(percent(test)) |\n" }
        return text
    }

    private func intervalNote(_ matrix: ConfusionMatrix) -> String {
        guard let interval = matrix.accuracyInterval else { return "" }
        return
            "Of \(matrix.total) test records \(matrix.correct) got their label: \(percent(Double(matrix.correct) / Double(matrix.total))), "
            + "with a 95 % interval of \(percent(interval.lowerBound)) to \(percent(interval.upperBound)) (Wilson)."
    }

    /// Precision, recall and F1 of every label, over the test records.
    private func table(_ matrix: ConfusionMatrix) -> String {
        var text = """

            ## Evaluation

            \(intervalNote(matrix))

            | label | precision | recall | F1 | records |
            | --- | --- | --- | --- | --- |

            """
        for (index, label) in matrix.labels.enumerated() {
            let ratios = [matrix.precision(index), matrix.recall(index), matrix.f1(index)]
            let shares = ratios.map { $0.map(percent) ?? "–" }
            text += "| \(label.tableCell) | \(shares.joined(separator: " | ")) | \(matrix.support(index)) |\n"
        }
        return text
    }
}

extension Provenance {
    fileprivate var rows: String {
        let sets = data.map { "\($0.part): \($0.records) records of \($0.source.tableCell)" }
        return "| data | \(sets.joined(separator: "; ")) |\n" + machineRows
    }
}

private func percent(_ share: Double) -> String { "\((share * 10_000).rounded() / 100) %" }
