// The shares of train, validation and test, as exact decimals: 0.7 of 10 is 7, whatever binary fractions make of it.

/// Three shares that add up to 1.
public struct Fractions: Sendable, Equatable {
    /// In units of 10⁻⁹.
    private let train: Int
    private let validation: Int
    private static let one = 1_000_000_000

    /// 70 %, 10 % and 20 %, as in the chapter.
    public static let standard = Fractions(train: 700_000_000, validation: 100_000_000)

    private init(train: Int, validation: Int) {
        self.train = train
        self.validation = validation
    }

    /// Parses `0.7,0.1,0.2`; nil unless these are three plain decimals, not negative, that add up to exactly 1.
    public init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(Self.units)
        guard parts.count == 3, let train = parts[0], let validation = parts[1], let test = parts[2],
            train + validation + test == Self.one
        else { return nil }
        self.init(train: train, validation: validation)
    }

    /// How many of `count` records each part gets: the shares of train and validation rounded down, test the rest
    /// (1,494 → 1,045, 149, 300).
    public func sizes(of count: Int) -> [Int] {
        func share(_ units: Int) -> Int {
            let product = count.multipliedFullWidth(by: units)
            return Self.one.dividingFullWidth(product).quotient
        }
        let train = share(train)
        let validation = share(validation)
        return [train, validation, count - train - validation]
    }

    private static func units(_ text: Substring) -> Int? {
        let sides = text.split(separator: ".", omittingEmptySubsequences: false)
        guard sides.count <= 2, let whole = sides.first, text.utf8.contains(where: { $0 != UInt8(ascii: ".") }),
            text.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == UInt8(ascii: ".") })
        else { return nil }
        let decimals = sides.count == 2 ? sides[1] : ""
        guard decimals.count <= 9, whole.count <= 1 else { return nil }
        let padded = String(decimals) + String(repeating: "0", count: 9 - decimals.count)
        guard let fraction = Int(padded), let integer = Int(whole.isEmpty ? "0" : String(whole)) else { return nil }
        return integer * one + fraction
    }
}
