// The part of a model card that tells how the model was trained, and how good it is.

import Evaluation
import Records

extension TrainedClassifier {
    var cardRows: String { trainingRows + (provenance?.rows ?? "") }

    var cardSections: String { (results.testClasses.map(table) ?? "") + (provenance?.commandSection ?? "") }

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

    /// Precision, recall and F1 of every label, over the test records.
    private func table(_ matrix: ConfusionMatrix) -> String {
        var text = """

            ## Test results

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
