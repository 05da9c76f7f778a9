// The gradient of a weight from many rows: dW [m,n] += leftᵀ·right, for left [rows,m] and right [rows,n].

import COneDNN

/// The products of one shape of dW, tile by tile, some hundred rows at a time.
final class GradientProducts: @unchecked Sendable {  // each tile of dW is written by one worker
    /// Tiles of rows that the largest product takes.
    private static let most = 8
    /// Rows that a product takes: many tiles as long as there are, then one by one, and half of the last one if that is enough.
    private static let runs = [most * PackedLinear.rowTile, PackedLinear.rowTile, PackedLinear.fewRows]

    private let m: Int, n: Int
    private let height: Int, width: Int
    private let products: [[Product]]  // of every run, in the order of `shapes`
    let scratchCount: Int

    /// - Parameters:
    ///   - height: rows of a tile of dW.
    ///   - width: columns of a tile of dW.
    init(_ m: Int, _ n: Int, _ type: OperandType, height: Int, width: Int) throws {
        (self.m, self.n, self.height, self.width) = (m, n, height, width)
        products = try Self.runs.map { rows in
            try [false, true].flatMap { lastRow in
                try [false, true].map { lastColumn in
                    try Product(
                        rows: Self.size(m, height, isLast: lastRow), inputs: rows,
                        outputs: Self.size(n, width, isLast: lastColumn), source: type.oneDNN, .columns(stride: m),
                        weights: .rows(stride: n), destinationStride: n, epilogue: ONEDNN_ADD)
                }
            }
        }
        scratchCount = products.joined().map(\.scratchCount).max() ?? 0
    }

    /// The size of a tile along a side; the last one can be smaller.
    private static func size(_ side: Int, _ tile: Int, isLast: Bool) -> Int {
        isLast ? side - (side - 1) / tile * tile : min(tile, side)
    }

    /// dW [m,n] += leftᵀ·right.
    func add(
        _ dWeight: UnsafeMutablePointer<Float>, _ left: Operand, _ right: Operand, rows: Int, _ scratch: ProductScratch,
        _ workers: Workers
    ) {
        let rowTiles = (rows + PackedLinear.rowTile - 1) / PackedLinear.rowTile
        let (down, across) = ((m + height - 1) / height, (n + width - 1) / width)
        nonisolated(unsafe) let dWeight = dWeight  // each tile writes its own part
        workers.forEach(down * across) { index, worker in
            let (column, row) = index.quotientAndRemainder(dividingBy: down)
            let shape = (row == down - 1 ? 2 : 0) + (column == across - 1 ? 1 : 0)
            let target = dWeight + row * height * n + column * width
            var tile = 0
            while tile < rowTiles {
                let isFull = left.run(from: tile, most: Self.most) == Self.most
                let isLow = rows - tile * PackedLinear.rowTile <= PackedLinear.fewRows
                products[isFull ? 0 : isLow ? 2 : 1][shape].run(
                    target, left.at(tile, column: row * height), right.at(tile, column: column * width),
                    scratch: scratch.product(worker))
                tile += isFull ? Self.most : 1
            }
        }
    }
}
