// Computes the features of a run, or finds those of an earlier run.

import Records
import Synchronization

extension FineTuner {
    /// Computes the output of the frozen blocks into the files of ``featureDirectory`` that are missing there, and trains
    /// nothing. Several machines can share the work: each computes its ``featurePart``.
    ///
    /// - Throws: as ``train(_:on:report:progress:)`` does.
    public func computeFeatures(
        _ base: Classifier, on datasets: Datasets, report: (TrainingEvent) throws -> Void,
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) throws {
        guard settings.trainable.firstBlock(of: base.config.blocks) > 0 else {
            throw TrainingError.impossibleSetting(
                "no block is frozen, so there are no features to compute", remedy: "train the head or the last blocks")
        }
        try prepare(TrainingData(base, datasets, settings), report: report, progress: progress)
    }

    /// Prepares the features of all sets, unless nothing is frozen.
    func prepare(
        _ data: TrainingData, report: (TrainingEvent) throws -> Void,
        progress: @escaping @Sendable (TrainingProgress) -> Void
    ) throws {
        let extractor = try FeatureExtractor(
            data.base.parameters, config: data.base.config, pooling: data.base.pooling, trainable: settings.trainable,
            precision: settings.precision, workers: workers)
        if extractor.keepsNothing { return }
        try report(.frozen(prepare(data.sets, data.texts, extractor, report: report, progress: progress)))
    }

    /// Prepares the features of `sets`, whose distinct texts are `texts`: computes them, or finds them in the feature
    /// cache.
    package func prepare(
        _ sets: [FeatureSet], _ texts: DistinctTexts, _ extractor: FeatureExtractor,
        report: (TrainingEvent) throws -> Void, progress: @escaping @Sendable (TrainingProgress) -> Void
    ) throws -> FeatureSummary {
        let begin = ContinuousClock.now
        let done = Atomic<Int>(0)
        let total = texts.layout.tokens
        @Sendable func finished(_ tokens: Int) {
            progress(.frozen(done: done.wrappingAdd(tokens, ordering: .relaxed).newValue, total: total))
        }
        let computation = FeatureComputation(extractor, texts, memory: featureMemory ?? MemoryBudget().left / 2)
        let (store, place): (FeatureStore, FeatureSummary.Place)
        var (reused, skipped) = (0, 0)
        if let featureDirectory {
            let directory = FeatureDirectory(path: featureDirectory, origin: extractor.origin())
            (store, reused, skipped) = try computation.compute(
                in: directory, part: featurePart, finished: finished
            ) { damaged in
                try report(.warning(damaged.replacing))
            }
            place = .directory
        } else {
            (store, place) = try computation.compute(finished: finished)
        }
        extractor.connect(sets, to: store)
        return FeatureSummary(
            place: place, computedTokens: total - reused - skipped, reusedTokens: reused, skippedTokens: skipped,
            bytes: computation.bytes,
            seconds: begin.secondsUntilNow)
    }
}
