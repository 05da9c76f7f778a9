// How the learning rate changes over a run: the definitions of Hugging Face's `get_constant_schedule_with_warmup`,
// `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup` (transformers, optimization.py), and the trapezoid
// of Hägele et al. 2024 (https://arxiv.org/abs/2405.18392). It is a function of the step alone.

import Platform

/// The learning rate of every step, as a multiple of the highest.
public struct LearningRateSchedule: Sendable, Equatable {
    /// The course of the learning rate after the warm-up.
    public enum Shape: String, Sendable, CaseIterable {
        /// The highest learning rate in every step.
        case constant
        /// Down to 0 at the end, in a straight line.
        case linear
        /// Down to 0 at the end, as half a cosine wave.
        case cosine
        /// The highest learning rate until ``LearningRateSchedule/decayFrom``, then down to 0 in a straight line.
        case trapezoid
    }

    /// The steps in which the learning rate rises in a straight line, from 0 in the first step.
    public enum Warmup: Sendable, Equatable {
        /// A number of steps.
        case steps(Int)
        /// A share of all steps, 0 ..< 1. The number of steps is rounded up; a single step has no warm-up.
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
            case .share(let share): total > 1 ? Int(exactly: (share * Double(total)).rounded(.up)) ?? .max : 0
            }
        }
    }

    /// The course after the warm-up.
    public var shape = Shape.constant
    /// The rise at the beginning.
    public var warmup = Warmup.steps(0)
    /// The share of all steps, 0 ..< 1, after which a trapezoid goes down, if it isn't in its warm-up yet.
    public var decayFrom = 0.3

    public init() {}

    /// The factor of the highest learning rate in step 0 ..< `total`.
    public func factor(step: Int, of total: Int) -> Double {
        let warmup = warmup.steps(of: total)
        if step < warmup { return Double(step) / Double(warmup) }
        let span = Double(max(1, total - warmup))
        switch shape {
        case .constant: return 1
        case .linear: return max(0, Double(total - step) / span)
        case .cosine: return max(0, 0.5 * (1 + cos(.pi * (Double(step - warmup) / span))))
        case .trapezoid:
            let last = max(Double(warmup), decayFrom * Double(total))
            return min(1, max(0, Double(total - step) / max(1, Double(total) - last)))
        }
    }
}
