// How many steps the trials of a search are trained for: successive halving (Jamieson & Talwalkar 2016,
// https://arxiv.org/abs/1502.07943), with thirds. All trials are trained for a few steps and compared. The best third
// is trained for three times as many, and so on, until one trial is left, which is trained to its end. So most trials
// cost little. A trial that begins badly and would have ended well is lost.

/// The rounds of a search.
package struct SuccessiveHalving: Equatable {
    /// A comparison of all trials that are left.
    package struct Round: Equatable {
        /// Trials are compared after 1/divisor of the steps of the longest training.
        package let divisor: Int
        /// How many trials are left after it.
        package let survivors: Int
    }

    /// All comparisons, in their order.
    package let rounds: [Round]

    /// The comparisons of `trials` trials. The last one is after a third of the longest training.
    package init(trials: Int) {
        var counts = [trials]
        while let count = counts.last, count > 1 { counts.append((count + 2) / 3) }
        var divisor = 1
        rounds = counts.dropFirst().reversed().map { survivors in
            divisor = divisor.multipliedSaturating(by: 3)
            return Round(divisor: divisor, survivors: survivors)
        }.reversed()
    }
}
