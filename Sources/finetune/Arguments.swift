// Words of the command line that stand for values of GPT2Kit.

import ArgumentParser
import GPT2Kit

@Sendable func trainableSet(_ text: String) throws -> TrainableSet {
    guard let set = TrainableSet(text) else { throw ValidationError("'\(text)' is not head, last-N or all") }
    return set
}

@Sendable func poolingChoice(_ text: String) throws -> Pooling {
    guard let pooling = Pooling(rawValue: text) else {
        throw ValidationError("'\(text)' is not last-token, last-position, first or mean")
    }
    return pooling
}

@Sendable func shuffling(_ text: String) throws -> TrainingSettings.Shuffle {
    guard let shuffle = TrainingSettings.Shuffle(rawValue: text) else {
        throw ValidationError("'\(text)' is not seeded or none")
    }
    return shuffle
}

@Sendable func positiveNumber(_ text: String) throws -> Double {
    guard let value = Double(text), value > 0, value.isFinite else {
        throw ValidationError("'\(text)' is not a number above 0")
    }
    return value
}

@Sendable func nonNegativeNumber(_ text: String) throws -> Double {
    guard let value = Double(text), value >= 0, value.isFinite else {
        throw ValidationError("'\(text)' is not a number from 0 on")
    }
    return value
}

@Sendable func nonNegativeInteger(_ text: String) throws -> Int {
    guard let value = Int(text), value >= 0 else { throw ValidationError("'\(text)' is not a whole number from 0 on") }
    return value
}
