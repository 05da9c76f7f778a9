// The outcome of the evaluation after a step.

/// What was found after a step.
struct StepEvaluation {
    /// The best evaluation so far, where evaluations decide something.
    var evaluations: BestEvaluation
    var losses: (training: Double, validation: Double)?
    var isBest: Bool?
    var accuracies: (training: Double, validation: Double)?
    /// Why no other step follows.
    var reason: EndReason?

    /// The events to report.
    func events(_ run: TrainingRun, seconds: Double) -> [TrainingEvent] {
        var events: [TrainingEvent] = []
        if let losses {
            events.append(
                .evaluation(
                    step: run.state.step - 1, trainingLoss: losses.training, validationLoss: losses.validation,
                    isBest: isBest))
        }
        if let accuracies {
            events.append(
                .epoch(
                    epoch: run.epoch, step: run.state.step, trainingAccuracy: accuracies.training,
                    validationAccuracy: accuracies.validation, seconds: seconds))
        }
        return events
    }
}
