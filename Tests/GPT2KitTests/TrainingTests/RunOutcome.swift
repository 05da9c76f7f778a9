// What runs that are stopped and resumed have to come to, whatever they train.

import Testing

/// What a run, or a part of one, came to.
protocol RunOutcome {
    /// The bits of all weights; none where the run was stopped.
    var bits: [[UInt32]] { get }
    /// What it reported, without times.
    var events: [String] { get }
    var warnings: [String] { get }
    /// The steps after which it was stopped.
    var stopped: Int? { get }
}

/// A run that is stopped after any of its steps, and resumed, comes to the weights and the events of a run that isn't.
///
/// - Parameters:
///   - whole: a run without checkpoints.
///   - saved: one that saves itself now and then.
///   - stopped: one that is stopped after some step.
///   - resumed: one that resumes.
func expectSameAfterAnyStop<Outcome: RunOutcome>(
    whole: Outcome, saved: Outcome, stopped: (_ step: Int) throws -> Outcome, resumed: () throws -> Outcome
) rethrows {
    let steps = whole.events.count { $0.hasPrefix("step") }
    #expect(saved.bits == whole.bits)
    #expect(steps > 0)
    for stop in 1...max(1, steps) {
        let first = try stopped(stop)
        #expect(first.stopped == stop && first.bits.isEmpty)
        let second = try resumed()
        #expect(second.bits == whole.bits, "stopped after step \(stop) of \(steps)")
        #expect(second.events.first == "resume \(stop)" && second.warnings.isEmpty)
        #expect(first.events + second.events.dropFirst() == whole.events, "stopped after step \(stop)")
    }
}
