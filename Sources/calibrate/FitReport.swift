// What calibrate tells of a fit.

import Evaluation
import Records

/// A fit in words, and as part of decision.json.
struct FitReport {
    private let fit: DecisionFit
    private let goal: DecisionGoal
    private let records: ScoredRecords

    init(_ fit: DecisionFit, _ goal: DecisionGoal, records: ScoredRecords) {
        (self.fit, self.goal, self.records) = (fit, goal, records)
    }

    private var decision: Decision { fit.decision }

    private func digits(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }

    /// Lines for people.
    var text: String {
        var text = """
            records            \(records.count)
            temperature        \(digits(decision.temperature))
            log loss           \(digits(fit.logLoss.before)) before, \(digits(fit.logLoss.after)) after
            calibration error  \(digits(fit.calibrationError.before)) before, \(digits(fit.calibrationError.after)) after

            """
        if let threshold = decision.threshold, let wrong = fit.falsePositives, let right = fit.truePositives {
            let label = decision.labels[threshold.label].printable
            text +=
                threshold.probability > 1
                ? "threshold          no probability is enough for \(label)\n"
                : "threshold          \(label) from \(digits(threshold.probability)) on\n"
            text += "of \(label)".padded(to: 19) + "\(right.hits) of \(right.records)\n"
            text += "of others".padded(to: 19) + "\(wrong.hits) of \(wrong.records)\n"
        }
        if let sets = decision.setThresholds, let coverage = decision.coverage {
            text += "sets".padded(to: 19) + "for \(digits(100 * coverage)) % of every label: "
            text +=
                zip(decision.labels, sets).map { "\($0.printable) from \(digits($1)) on" }.joined(separator: ", ")
                + "\n"
        }
        return text
    }

    /// What so few records can't promise.
    var warnings: [String] {
        var warnings: [String] = []
        if let wrong = fit.falsePositives, let threshold = decision.threshold {
            let bound = ExactBound.upper(wrong.hits, of: wrong.records)
            if case .falsePositiveRate(let rate, nil)? = goal.threshold?.goal, bound > rate {
                func percent(_ share: Double) -> String { "\((share * 10_000).rounded() / 100) %" }
                let label = decision.labels[threshold.label].printable
                warnings.append(
                    "\(wrong.hits) of \(wrong.records) others were taken for \(label): the rate may be up to \(percent(bound)) "
                        + "(95 % confidence)"
                        + (ExactBound.records(for: rate).map {
                            "; to promise \(percent(rate)) takes \($0) others without a mistake"
                        } ?? ""))
            }
        }
        if fit.assumesMistake {
            warnings.append(
                "the \(records.count) records have no mistake that limits the temperature, so one was assumed: fit on more records"
            )
        } else if decision.temperature >= 50 {
            warnings.append(
                "the probabilities say nothing about the labels of these records: the temperature is \(digits(decision.temperature))"
            )
        }
        for (label, count, needed) in fit.sparseLabels {
            warnings.append(
                "\(count) records of \(decision.labels[label].printable) are too few for the coverage: it is in every set; "
                    + "\(needed) would do")
        }
        return warnings
    }

    /// The member `fitted` of decision.json.
    var json: [JSONMember] {
        func counts(_ counts: (hits: Int, records: Int)) -> JSONValue {
            .object([
                JSONMember(key: "hits", value: .number(counts.hits)),
                JSONMember(key: "records", value: .number(counts.records)),
            ])
        }
        var members = [
            JSONMember(key: "records", value: .number(records.count)),
            JSONMember(key: "log_loss_before", value: .number(fit.logLoss.before)),
            JSONMember(key: "log_loss", value: .number(fit.logLoss.after)),
            JSONMember(key: "ece_before", value: .number(fit.calibrationError.before)),
            JSONMember(key: "ece", value: .number(fit.calibrationError.after)),
        ]
        if let wrong = fit.falsePositives, let right = fit.truePositives {
            members.append(JSONMember(key: "false_positives", value: counts(wrong)))
            members.append(JSONMember(key: "true_positives", value: counts(right)))
            members.append(
                JSONMember(key: "fpr_upper_bound", value: .number(ExactBound.upper(wrong.hits, of: wrong.records))))
        }
        return members
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
