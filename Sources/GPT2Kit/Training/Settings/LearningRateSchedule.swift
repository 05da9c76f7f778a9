// How the learning rate goes over a run: the definitions of Hugging Face's `get_constant_schedule_with_warmup`,
// `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup` (transformers, optimization.py). A function of
// the step alone.

import Platform

/// The learning rate of every step, as a multiple of the highest.
public struct LearningRateSchedule: Sendable, Equatable {
    /// What comes after the warm-up.
    public enum Shape: String, Sendable, CaseIterable {
        case constant
        /// Down to 0 at the end, in a straight line.
        case linear
        /// Down to 0 at the end, as half a cosine wave.
        case cosine
    }

    /// The steps in which the learning rate rises from 0, in a straight line. The first of them has 0.
    public enum Warmup: Sendable, Equatable {
        case steps(Int)
        /// The share of all steps, 0 ..< 1, rounded up.
        case share(Double)

        /// A whole number of steps, or a share below 1; nil for anything else.
        public init?(_ text: String) {
            if let steps = Int(text), steps >= 0 {
                self = .steps(steps)
            } else if let share = Double(text), share >= 0, share < 1 {
                self = .share(share)
            } else {
                return nil
            }
        }

        func steps(of total: Int) -> Int {
            switch self {
            case .steps(let count): count
            case .share(let share): Int(exactly: (share * Double(total)).rounded(.up)) ?? .max
            }
        }
    }

    public var shape = Shape.constant
    public var warmup = Warmup.steps(0)

    public init() {}

    /// The factor of the learning rate in a step, 0 ..< total.
    public func factor(step: Int, of total: Int) -> Double {
        let warmup = warmup.steps(of: total)
        if step < warmup { return Double(step) / Double(warmup) }
        let span = Double(max(1, total - warmup))
        switch shape {
        case .constant: return 1
        case .linear: return max(0, Double(total - step) / span)
        case .cosine: return max(0, 0.5 * (1 + cos(.pi * (Double(step - warmup) / span))))
        }
    }
}
