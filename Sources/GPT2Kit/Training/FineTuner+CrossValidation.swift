// Probabilities of a training set by models that haven't seen the text: K runs, each without one of K parts. The frozen blocks run
// once for all of them.

import Evaluation

extension FineTuner {
    /// The probability of every class for every text of `texts`, [texts,K], by models that were trained on the other parts.
    ///
    /// - Parameters:
    ///   - base: what every model starts from; it isn't changed.
    ///   - texts: labelled texts.
    ///   - count: the number of parts, at least 2.
    ///   - progress: gets the progress of long phases, from any thread. Steps are those of all models.
    /// - Throws: ``TrainingError/unusableData(_:remedy:file:)`` where a class has fewer different texts than there are parts;
    ///   ``TrainingError/impossibleSetting(_:remedy:)`` for settings that choose among the weights of a run; what
    ///   ``train(_:on:report:progress:)`` throws.
    public func crossValidate(
        _ base: Classifier, on texts: LabelledTexts, folds count: Int,
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) throws -> [Double] {
        try settings.requireLastWeights("a cross-validation")
        guard count >= 2 else {
            throw TrainingError.impossibleSetting("\(count) folds are too few", remedy: "choose at least 2")
        }
        let whole = try TrainingData(base, Datasets(training: texts, validation: texts), settings)
        let labels = whole.training.labels
        let textOfRow = whole.texts.textOfRow[0]
        for (label, name) in base.labels.enumerated() {
            let distinct = Set(labels.indices.lazy.filter { labels[$0] == label }.map { textOfRow[$0] }).count
            guard distinct >= count else {
                throw TrainingError.unusableData(
                    "class \(name) has \(distinct) different texts, fewer than the \(count) folds",
                    remedy: "take fewer folds, or leave the class out", file: texts.source)
            }
        }
        try prepare(whole, report: { _ in }, progress: progress)
        let folds = Folds.assign(labels: labels, texts: textOfRow, count: count, seed: settings.seed)
        let parts = try (0..<count).map { fold in
            try TrainingData(
                whole, training: folds.indices.filter { folds[$0] != fold },
                validation: folds.indices.filter { folds[$0] == fold }, settings)
        }
        let K = base.labels.count
        var result = [Double](repeating: 0, count: labels.count * K)
        let stepsPerEpoch = parts.map {
            BatchSampler.stepsPerEpoch(rows: $0.training.count, batch: settings.rowsOfStep)
        }
        let total = stepsPerEpoch.reduce(0) { $0.addingSaturating(settings.steps(ofEpoch: $1)) }
        var done = 0
        for (fold, data) in parts.enumerated() {
            let run = try TrainingRun(data, settings, workers)
            run.refresh()
            let begin = ContinuousClock.now
            while run.endReason(minutes: begin.secondsUntilNow / 60, run.state.evaluations) == nil {
                let loss = try run.makeStep().loss
                done += 1
                progress(.training(done: done, total: total, loss: loss))
            }
            let probabilities = try run.probabilities(data.validation)
            for (place, row) in folds.indices.filter({ folds[$0] == fold }).enumerated() {
                for k in 0..<K { result[row * K + k] = probabilities[place * K + k] }
            }
        }
        return result
    }
}
