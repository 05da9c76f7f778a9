// Which rows of a table have been used. A batch of texts has few of a vocabulary's tokens, so most rows of wte have no
// gradient for many steps.

/// A set of rows of a table.
package final class RowSet: @unchecked Sendable {  // one thread changes it while no other reads it
    private var members: [Bool]

    /// No row of a table of `rows` rows.
    package init(ofTable rows: Int) { members = Array(repeating: false, count: rows) }

    /// Whether `row` is in the set.
    package func contains(_ row: Int) -> Bool { members[row] }

    /// Adds a row.
    package func insert(_ row: Int) { members[row] = true }
}
