// What a search may choose, and how it draws its trials (Bergstra & Bengio 2012, "Random Search for Hyper-Parameter
// Optimization").

import Platform
import Records

/// Ranges of hyperparameters.
public struct SearchSpace: Sendable, Equatable {
    /// A hyperparameter that can be searched, under its option's name.
    public enum Name: String, Sendable, CaseIterable {
        /// ``TrainingSettings/learningRate``.
        case learningRate = "lr"
        /// ``TrainingSettings/weightDecay``.
        case weightDecay = "weight-decay"
        /// ``TrainingSettings/epochs``.
        case epochs
        /// ``TrainingSettings/batch``.
        case batch
        /// ``TrainingSettings/dropout``.
        case dropout
        /// ``TrainingSettings/wordDropout``.
        case wordDropout = "word-dropout"
        /// ``TrainingSettings/labelSmoothing``.
        case labelSmoothing = "label-smoothing"

        /// Whether it is drawn on a logarithmic scale, on which equal factors are equally likely, not equal
        /// differences.
        public var isLogarithmic: Bool { self == .learningRate || self == .batch }
        /// Whether it is a whole number.
        public var isWhole: Bool { self == .epochs || self == .batch }

        fileprivate var allowed: ClosedRange<Double> {
            switch self {
            case .learningRate: Double.leastNormalMagnitude...Double.greatestFiniteMagnitude
            case .weightDecay: 0...Double.greatestFiniteMagnitude
            case .epochs, .batch: 1...1e9
            case .dropout, .wordDropout, .labelSmoothing: 0...(1.0).nextDown
            }
        }
    }

    /// The hyperparameters that are searched, and the ends of their ranges.
    public private(set) var ranges: [Name: ClosedRange<Double>] = [:]

    /// Reads a text such as "lr=1e-5..1e-3,weight-decay=0..0.3,epochs=2..10".
    ///
    /// - Throws: ``SearchSpaceError``.
    public init(_ text: String) throws(SearchSpaceError) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let (name, range) = try Self.range(String(part))
            guard ranges.updateValue(range, forKey: name) == nil else {
                throw SearchSpaceError(problem: "\(name.rawValue) is given twice")
            }
        }
    }

    private static func range(_ part: String) throws(SearchSpaceError) -> (Name, ClosedRange<Double>) {
        guard let sign = part.firstIndex(of: "=") else {
            throw SearchSpaceError(problem: "'\(part)' is not NAME=LOW..HIGH")
        }
        guard let name = Name(rawValue: String(part[..<sign])) else {
            let known = Name.allCases.map(\.rawValue).joined(separator: ", ")
            throw SearchSpaceError(problem: "'\(part[..<sign])' can't be searched; \(known) can")
        }
        // The first two dots in a row: the bounds have dots too.
        let bounds = Array(part[part.index(after: sign)...].utf8)
        guard let dots = bounds.indices.dropLast().first(where: { bounds[$0] == 0x2E && bounds[$0 + 1] == 0x2E }),
            let low = Double(String(decoding: bounds[..<dots], as: UTF8.self)),
            let high = Double(String(decoding: bounds[(dots + 2)...], as: UTF8.self))
        else { throw SearchSpaceError(problem: "'\(part)' is not NAME=LOW..HIGH with two numbers") }
        guard low <= high else { throw SearchSpaceError(problem: "'\(part)' ends below its beginning") }
        guard name.allowed.contains(low), name.allowed.contains(high) else {
            throw SearchSpaceError(problem: "'\(part)' has numbers that \(name.rawValue) doesn't take")
        }
        guard !name.isWhole || (low == low.rounded() && high == high.rounded()) else {
            throw SearchSpaceError(problem: "'\(part)' needs whole numbers")
        }
        return (name, low...high)
    }

    /// The settings of `count` trials. The first trials of a longer search are those of a shorter one.
    ///
    /// Numbers that aren't whole have four significant digits, so that they can be read and typed.
    public func draw(_ count: Int, from settings: TrainingSettings) -> [TrainingSettings] {
        var generator = SeededGenerator(seed: settings.seed ^ 0x7365_6172_6368)
        return (0..<count).map { _ in
            var trial = settings
            for name in Name.allCases {
                guard let range = ranges[name] else { continue }
                trial.set(name, Self.draw(name, range, &generator))
            }
            return trial
        }
    }

    private static func draw(
        _ name: Name, _ range: ClosedRange<Double>, _ generator: inout SeededGenerator
    ) -> Double {
        let position = generator.nextUniform()
        // A whole number is drawn from the interval that rounds to it, so that all are equally likely.
        let margin = name.isWhole ? 0.5 : 0
        let (low, high) = (range.lowerBound - margin, range.upperBound + margin)
        let value =
            name.isLogarithmic ? exp(log(low) + position * (log(high) - log(low))) : low + position * (high - low)
        return min(max(name.isWhole ? value.rounded() : fourDigits(value), range.lowerBound), range.upperBound)
    }

    /// The settings with all lower ends, and those with all upper ends: a model has to suit both.
    func extremes(of settings: TrainingSettings) -> [TrainingSettings] {
        [\ClosedRange<Double>.lowerBound, \.upperBound].map { end in
            var result = settings
            for (name, range) in ranges { result.set(name, range[keyPath: end]) }
            return result
        }
    }
}

/// What is wrong with the text of a search space.
public struct SearchSpaceError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with it, in words.
    public let problem: String
    public var description: String { problem }
}

extension TrainingSettings {
    fileprivate mutating func set(_ name: SearchSpace.Name, _ value: Double) {
        switch name {
        case .learningRate: learningRate = value
        case .weightDecay: weightDecay = value
        case .epochs: epochs = Int(value)
        case .batch: batch = Int(value)
        case .dropout: dropout = value
        case .wordDropout: wordDropout = value
        case .labelSmoothing: labelSmoothing = value
        }
    }
}

private func fourDigits(_ value: Double) -> Double {
    guard value != 0 else { return 0 }
    // Dividing by a power of ten gives the number nearest to the decimal one.
    let scale = pow(10, 3 - floor(log10(value.magnitude)))
    // Of numbers near the least and the greatest there is no such power, or nothing is left of it.
    let rounded = (value * scale).rounded() / scale
    return rounded.isFinite ? rounded : value
}
