// Tables of plain text.

import Records

/// Rows of cells in columns of equal width.
package enum PlainTable {
    /// The first `leading` columns are set to the left, the others to the right.
    static func text(_ rows: [[String]], leading: Int = 1) -> String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let line = zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column < leading ? cell.0 + space : space + cell.0
            }.joined(separator: "  ")
            return line.trimmingTrailingSpaces + "\n"
        }.joined()
    }

    /// A probability with `digits` behind the point, or what it is below where these would all be 0.
    package static func probability(_ value: Double, digits: Int) -> String {
        let least = (0..<digits).reduce(1.0) { unit, _ in unit / 10 }
        return value < least / 2 ? "below \(number(least, digits: digits))" : number(value, digits: digits)
    }

    /// A number with `digits` behind the point; a dash for none.
    package static func number(_ value: Double?, digits: Int) -> String {
        guard let value, value.isFinite else { return "–" }
        let unit = (0..<digits).reduce(1) { unit, _ in unit * 10 }
        let exact = (abs(value) * Double(unit)).rounded()
        // Beyond that a number has fewer digits than are asked for.
        guard exact < 0x1p53 else { return "\(value)" }
        let scaled = Int(exact)
        let (whole, part) = scaled.quotientAndRemainder(dividingBy: unit)
        let fraction = String(part)
        let sign = value < 0 && scaled > 0 ? "−" : ""
        if digits == 0 { return "\(sign)\(whole)" }
        return "\(sign)\(whole).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
    }

    /// A number without needless digits.
    static func short(_ value: Double) -> String {
        let text = "\(Float(value))"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// A share in per cent, without the sign.
    package static func percent(_ share: Double?) -> String { number(share.map { 100 * $0 }, digits: 2) }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
