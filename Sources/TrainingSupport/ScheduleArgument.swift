// The learning rate's schedule, as options.

import ArgumentParser
import GPT2Kit

extension LearningRateSchedule.Shape: ExpressibleByArgument {}

/// Reads options of a schedule.
public enum ScheduleArgument {
    /// The steps of the warm-up: their number, or their share of all steps.
    @Sendable public static func warmup(_ text: String) throws -> LearningRateSchedule.Warmup {
        guard let warmup = LearningRateSchedule.Warmup(text) else {
            throw ValidationError("'\(text)' is neither a whole number of steps nor a share below 1")
        }
        return warmup
    }
}
