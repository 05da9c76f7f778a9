// Bins of probabilities, of which a calibration error and a reliability curve are made.

/// Bins of the same width: (0, 1/n], (1/n, 2/n], …; 0 is in the first one.
enum ProbabilityBins {
    /// The bin of a probability, 0 ..< `count`.
    static func index(of probability: Double, count: Int) -> Int {
        max(1, min(count, Int((probability * Double(count)).rounded(.up)))) - 1
    }
}
