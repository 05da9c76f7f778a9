// Counts that may be too large for an integer.

extension Int {
    /// self × other, or the largest integer where that overflows: a count so large is never reached.
    func multipliedSaturating(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    /// self + other, of numbers that aren't negative; or the largest integer where that overflows.
    func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
