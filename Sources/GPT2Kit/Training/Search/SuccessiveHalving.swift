// How long the trials of a search are trained: successive halving (Jamieson & Talwalkar 2016,
// https://arxiv.org/abs/1502.07943), with thirds. All trials are trained for a short while and compared, the better third
// goes on three times as long, and so on, until one is left, which is trained to its end. Most trials cost next to
// nothing then; one that begins badly and would have ended well is lost.

/// The rounds of a search.
package struct SuccessiveHalving: Equatable {
    package struct Round: Equatable {
        /// The part, 1/divisor, of the longest training that a trial has had when it is compared.
        package let divisor: Int
        /// How many go on.
        package let survivors: Int
    }

    package let rounds: [Round]

    /// The last comparison is after a third of the longest training.
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
