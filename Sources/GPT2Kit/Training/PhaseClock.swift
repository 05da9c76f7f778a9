// What takes how long.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Seconds of a clock that only goes forward.
func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Adds up what each phase takes.
struct PhaseClock {
    private var last = seconds()
    private var totals: [TrainingEvent.Phase: Double] = [:]

    /// Charges the time since the last call to `phase`.
    mutating func charge(_ phase: TrainingEvent.Phase) {
        let now = seconds()
        totals[phase, default: 0] += now - last
        last = now
    }

    var phases: [(phase: TrainingEvent.Phase, seconds: Double)] {
        TrainingEvent.Phase.allCases.map { ($0, totals[$0] ?? 0) }
    }
}
