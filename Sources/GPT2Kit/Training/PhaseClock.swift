// What takes how long.

import Platform

/// Seconds of a clock that only goes forward.
func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Adds up what each phase takes.
struct PhaseClock {
    private var last = seconds()
    /// Seconds by phase.
    private(set) var totals: [TrainingEvent.Phase: Double]

    /// - Parameter totals: what an earlier part of the run took.
    init(_ totals: [TrainingEvent.Phase: Double] = [:]) { self.totals = totals }

    /// Charges the time since the last call to `phase`.
    mutating func charge(_ phase: TrainingEvent.Phase) {
        let now = seconds()
        totals[phase, default: 0] += now - last
        last = now
    }

    var total: Double { totals.values.reduce(0, +) }

    var phases: [(phase: TrainingEvent.Phase, seconds: Double)] {
        TrainingEvent.Phase.allCases.map { ($0, totals[$0] ?? 0) }
    }
}
