// One choice of hyperparameters, and the run that tries it.

/// A trial of a search. While it is paused it holds its state, or nothing. Then it is trained again up to the same
/// step, which takes time but changes no result.
final class Trial: @unchecked Sendable {  // one worker has it at a time
    let number: Int
    let settings: TrainingSettings
    private let stepsPerEpoch: Int
    private(set) var step = 0
    private(set) var loss = Double.infinity
    private(set) var accuracy = 0.0
    private(set) var hasDiverged = false
    private var seconds = 0.0
    var state: TrainingState?

    init(number: Int, settings: TrainingSettings, _ data: TrainingData) {
        self.number = number
        self.settings = settings
        stepsPerEpoch = BatchSampler.stepsPerEpoch(rows: data.training.count, batch: settings.rowsOfStep)
    }

    /// The steps of all its epochs.
    var steps: Int { settings.steps(ofEpoch: stepsPerEpoch) }

    /// The steps of 1/divisor of `epochs` epochs, at most all of its own.
    func steps(ofEpochs epochs: Int, divisor: Int) -> Int {
        let all = min(stepsPerEpoch.multipliedSaturating(by: epochs), settings.maxSteps ?? .max)
        return min(steps, (all - 1) / divisor + 1)
    }

    var isRunning: Bool { step < steps && !hasDiverged }

    /// Trains it until `target` steps are made, and evaluates it.
    func advance(
        to target: Int, _ data: TrainingData, _ workers: Workers, _ made: @Sendable () -> Void
    ) throws {
        if hasDiverged || step >= target { return }
        let begin = ContinuousClock.now
        defer { seconds += begin.secondsUntilNow }
        do {
            let run = try restored(data, workers)
            while run.state.step < target {
                _ = try run.makeStep()
                made()
            }
            step = target
            (loss, accuracy) = try run.evaluate(data.validation)
            guard loss.isFinite else { throw TrainingError.lossNotFinite(step: step - 1) }
        } catch TrainingError.lossNotFinite(let last) {
            step = last + 1
            loss = .infinity
            hasDiverged = true
            state = nil
        }
    }

    /// A run in the state of the trial.
    func restored(_ data: TrainingData, _ workers: Workers) throws -> TrainingRun {
        let run = try TrainingRun(data, settings, workers, from: state)
        while run.state.step < step { _ = try run.makeStep() }
        state = run.state
        return run
    }

    /// Whether it did better than `other`. With equal losses, the trial with the smaller number precedes.
    func precedes(_ other: Trial) -> Bool { (loss, number) < (other.loss, other.number) }

    var summary: TrialSummary {
        TrialSummary(
            number: number, settings: settings,
            outcome: hasDiverged ? .diverged : step == steps ? .finished : .stopped, steps: step,
            stepsOfAllEpochs: steps, validationLoss: hasDiverged ? nil : loss,
            validationAccuracy: hasDiverged ? nil : accuracy, seconds: seconds)
    }
}
