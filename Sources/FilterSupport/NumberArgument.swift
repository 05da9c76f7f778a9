// Numbers of the command line.

import ArgumentParser

/// Reads the number of an option, or says which numbers it takes.
public enum NumberArgument {
    /// A number above 0.
    @Sendable public static func positive(_ text: String) throws -> Double {
        guard let value = Double(text), value > 0, value.isFinite else {
            throw ValidationError("'\(text)' is not a number above 0")
        }
        return value
    }

    /// A number from 0 on.
    @Sendable public static func nonNegative(_ text: String) throws -> Double {
        guard let value = Double(text), value >= 0, value.isFinite else {
            throw ValidationError("'\(text)' is not a number from 0 on")
        }
        return value
    }

    /// A number above 0 and at most 1.
    @Sendable public static func factor(_ text: String) throws -> Double {
        guard let value = Double(text), value > 0, value <= 1 else {
            throw ValidationError("'\(text)' is not a number above 0 and at most 1")
        }
        return value
    }

    /// A number between 0 and 1, which aren't allowed themselves.
    @Sendable public static func innerShare(_ text: String) throws -> Double {
        guard let value = Double(text), value > 0, value < 1 else {
            throw ValidationError("'\(text)' is not a number between 0 and 1")
        }
        return value
    }

    /// A number from 0 to below 1.
    @Sendable public static func share(_ text: String) throws -> Double {
        guard let value = Double(text), value >= 0, value < 1 else {
            throw ValidationError("'\(text)' is not a number from 0 to below 1")
        }
        return value
    }
}
