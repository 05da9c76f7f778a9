// A matrix product of one number of rows, and the same of fewer, for texts that don't fill a tile.

/// Two products that differ in their rows alone, and take the same packed weights. A row has the same bits with either.
struct RowProducts: Sendable {
    /// The product of all rows.
    let all: Product
    /// That of the first rows alone; nil where it wants its weights in another order.
    private let few: (product: Product, rows: Int)?

    /// - Parameters:
    ///   - few: how many rows the smaller product has; nil for none.
    ///   - later: whether the kernel of the larger product, too, is made in its first run only.
    ///   - product: the product of so many rows.
    init(
        rows: Int, few: Int?, later: Bool, _ product: (_ rows: Int, _ later: Bool) throws -> Product
    ) rethrows {
        let all = try product(rows, later)
        self.all = all
        self.few = try few.flatMap { rows in
            let few = try product(rows, true)
            return few.layout != nil && few.layout == all.layout ? (few, rows) : nil
        }
    }

    /// Floats of scratch memory that each concurrent run needs.
    var scratchCount: Int { max(all.scratchCount, few?.product.scratchCount ?? 0) }

    /// The smallest product that has the first `wanted` rows; nil for all.
    @inline(__always)
    func product(for wanted: Int?) -> Product {
        if let few, let wanted, wanted <= few.rows { few.product } else { all }
    }
}
