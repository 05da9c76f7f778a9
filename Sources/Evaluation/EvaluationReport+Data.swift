// An evaluation for programs: JSON, and comma-separated values.

import Records

extension EvaluationReport {
    /// One object, whose numbers have names all the way down: `dvc metrics diff` and `jq` find each by its path.
    public var json: JSONValue {
        var members: [JSONMember] = []
        func add(_ key: String, _ value: JSONValue) { members.append(JSONMember(key: key, value: value)) }
        add("records", .number(matrix.total))
        add("correct", .number(matrix.correct))
        for measure in Measure.allCases
        where !measure.needsProbabilities || positive != nil || measures[.logLoss] != nil {
            add(measure.rawValue, .number(measures[measure]?.value))
        }
        add(
            "intervals",
            .object(
                Measure.allCases.compactMap { measure in
                    measures[measure]?.interval.map { JSONMember(key: measure.rawValue, value: $0.json) }
                }))
        add("classes", .object(matrix.labels.indices.map { JSONMember(key: matrix.labels[$0], value: classJSON($0)) }))
        add(
            "confusion",
            .object(
                matrix.labels.indices.map { row in
                    let cells = matrix.labels.indices.map {
                        JSONMember(key: matrix.labels[$0], value: .number(matrix[row, $0]))
                    }
                    return JSONMember(key: matrix.labels[row], value: .object(cells))
                }))
        if let prevalence {
            add("prevalence", .object(prevalence.map { JSONMember(key: $0.label, value: .number($0.share)) }))
        }
        if let positive { add("positive", .string(positive)) }
        if measures[.recallAtFPR] != nil { add("fpr", .number(falsePositiveRate)) }
        add("resamples", .number(resamples))
        return .object(members)
    }

    private func classJSON(_ label: Int) -> JSONValue {
        let estimates = classes[label]
        return .object([
            JSONMember(key: "records", value: .number(matrix.support(label))),
            JSONMember(key: "precision", value: .number(estimates.precision?.value)),
            JSONMember(key: "recall", value: .number(estimates.recall?.value)),
            JSONMember(key: "f1", value: .number(estimates.f1)),
            JSONMember(key: "precision_interval", value: estimates.precision?.interval?.json ?? .null),
            JSONMember(key: "recall_interval", value: estimates.recall?.interval?.json ?? .null),
        ])
    }

    /// A line for every measure: its name, that of a label or nothing, the value, and the bounds of its interval.
    ///
    /// - Parameter group: put before every line; nil for none.
    public func csv(group: String? = nil) -> String {
        func line(_ name: String, _ label: String, _ value: Double?, _ interval: ClosedRange<Double>?) -> String {
            let cells = [
                name, label.csvCell, value.map { "\($0)" } ?? "", interval.map { "\($0.lowerBound)" } ?? "",
                interval.map { "\($0.upperBound)" } ?? "",
            ]
            return ((group.map { [$0.csvCell] } ?? []) + cells).joined(separator: ",") + "\n"
        }
        var text = line("records", "", Double(matrix.total), nil)
        for measure in Measure.allCases {
            guard let estimate = measures[measure] else { continue }
            text += line(measure.rawValue, "", estimate.value, estimate.interval)
        }
        for label in matrix.labels.indices {
            let (name, estimates) = (matrix.labels[label], classes[label])
            text += line("records", name, Double(matrix.support(label)), nil)
            text += line("precision", name, estimates.precision?.value, estimates.precision?.interval)
            text += line("recall", name, estimates.recall?.value, estimates.recall?.interval)
            text += line("f1", name, estimates.f1, nil)
        }
        return text
    }

    /// The header of ``csv(group:)``.
    public static func csvHeader(hasGroups: Bool) -> String {
        (hasGroups ? "group," : "") + "measure,label,value,low,high\n"
    }
}

extension ClosedRange<Double> {
    /// `{"low":…,"high":…}`
    var json: JSONValue {
        .object([
            JSONMember(key: "low", value: .number(lowerBound)),
            JSONMember(key: "high", value: .number(upperBound)),
        ])
    }
}

extension String {
    /// As a cell of comma-separated values (RFC 4180).
    fileprivate var csvCell: String {
        utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
            ? "\"" + unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\"" : self
    }
}

extension Comparison {
    /// One object.
    public var json: JSONValue {
        func estimate(_ estimate: Estimate) -> JSONValue {
            .object([
                JSONMember(key: "value", value: .number(estimate.value)),
                JSONMember(key: "interval", value: estimate.interval?.json ?? .null),
            ])
        }
        return .object([
            JSONMember(key: "changed", value: .number(changed)),
            JSONMember(key: "only_this", value: .number(onlyThis)),
            JSONMember(key: "only_other", value: .number(onlyOther)),
            JSONMember(key: "mcnemar_p", value: .number(pValue)),
            JSONMember(key: "accuracy_difference", value: estimate(accuracy)),
            JSONMember(key: "balanced_accuracy_difference", value: estimate(balancedAccuracy)),
        ])
    }

    /// Some lines for people.
    public var text: String {
        func row(_ title: String, _ estimate: Estimate) -> [String] {
            func points(_ value: Double) -> String {
                (value > 0 ? "+" : "") + PlainTable.number(100 * value, digits: 2)
            }
            let interval = estimate.interval.map { "\(points($0.lowerBound)) to \(points($0.upperBound))" }
            return [title, points(estimate.value), interval ?? ""]
        }
        return """
            other labels than the other model's: \(changed) of \(records); right here alone: \(onlyThis), there alone: \
            \(onlyOther)

            """
                + PlainTable.text([
                    ["points more than the other model", "", accuracy.interval == nil ? "" : "95 % interval"],
                    row("accuracy", accuracy), row("balanced accuracy", balancedAccuracy),
                ])
                + "probability of such a difference between equally good models: \(PlainTable.probability(pValue, digits: 4)) "
                + "(McNemar, exact)\n"
    }
}
