// How long each phase of a run takes.

extension ContinuousClock.Instant {
    /// Seconds from this instant until now.
    var secondsUntilNow: Double { (ContinuousClock.now - self) / .seconds(1) }
}

/// Adds up the seconds of each phase.
struct PhaseClock {
    private var last = ContinuousClock.now
    /// Seconds by phase.
    private(set) var totals: [TrainingEvent.Phase: Double]

    /// - Parameter totals: the seconds of the run before it was resumed.
    init(_ totals: [TrainingEvent.Phase: Double] = [:]) { self.totals = totals }

    /// Charges the time since the last call to `phase`.
    mutating func charge(_ phase: TrainingEvent.Phase) {
        let now = ContinuousClock.now
        totals[phase, default: 0] += (now - last) / .seconds(1)
        last = now
    }

    var total: Double { totals.values.reduce(0, +) }

    var phases: [(phase: TrainingEvent.Phase, seconds: Double)] {
        TrainingEvent.Phase.allCases.map { ($0, totals[$0] ?? 0) }
    }
}
