// A fully connected layer in training, for many rows: y = x·W + b, with the gradients
//
//     dx = dy·Wᵀ,   dW += xᵀ·dy,   db += Σ dy
//
// W and Wᵀ are packed once for every value that W has (once a step), into the order and the number type that the CPU's
// best kernel wants. Rows are cut into tiles of fixed size: no number depends on how many threads computed it. The last
// tile is filled up with rows of zeros, to half a tile where that is enough.

import COneDNN

/// A fully connected layer of whose weights products in both directions are prepared.
package final class PackedLinear: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    /// Rows of a tile: a multiple of the 6 (AVX2) and 8 (AVX-512) rows that oneDNN takes at a time; see
    /// ``PrepackedLinear/tileRows``.
    package static let rowTile = PrepackedLinear.tileRows
    /// Rows of the last tile that are computed where no more are left: a multiple of the same.
    static let fewRows = PrepackedLinear.fewRows
    /// Columns of a tile.
    private static let columnTile = 256
    /// Rows of the gradient of W that a tile has.
    private static let gradientTile = 128

    /// W and Wᵀ, or a band of their columns, and the product with it.
    private struct Band {
        let products: RowProducts
        let columns: Range<Int>
        let packed: FloatBuffer
    }

    /// What a layer computes.
    package enum Passes: Sendable {
        /// The output alone.
        case forward
        /// The output and the gradient of the input.
        case inputGradient
        /// These, and the gradients of weight and bias.
        case gradients
    }

    /// Numbers in a row of the input.
    package let inputs: Int
    /// Numbers in a row of the output.
    package let outputs: Int
    private let weight: Tensor
    private let bias: Tensor?
    private let isTransposed: Bool
    private let type: OperandType
    private let workers: Workers
    private let scratch: ProductScratch
    private let forwards: [Band]
    private let backwards: [Band]
    /// Whether another layer, which has the same weight, packs it.
    private let isShared: Bool
    private let gradients: GradientProducts?
    /// x as the forward pass read it; kept for the gradient of W.
    private let input: Operand
    private let rounded: FloatBuffer?

    /// - Parameters:
    ///   - weight: W [inputs,outputs], or [outputs,inputs] where it `isTransposed`. It may change; ``refresh()`` then.
    ///   - bias: b [outputs]; nil for none.
    ///   - passes: what is wanted of it.
    ///   - other: a layer with the same weight, whose packed weights are used; nil for none.
    ///   - scratch: working memory that layers share which don't run at the same time.
    /// - Throws: ``OneDNNError``, ``OutOfMemory``.
    package init(
        _ weight: Tensor, _ bias: Tensor?, isTransposed: Bool = false, _ passes: Passes, _ type: OperandType,
        scratch: ProductScratch, sharing other: PackedLinear? = nil, workers: Workers
    ) throws {
        (inputs, outputs) =
            isTransposed ? (weight.shape[1], weight.shape[0]) : (weight.shape[0], weight.shape[1])
        (self.weight, self.bias, self.isTransposed, self.type) = (weight, bias, isTransposed, type)
        (self.workers, self.scratch) = (workers, scratch)
        let (inputs, outputs) = (inputs, outputs)
        isShared = other != nil
        forwards = try other?.forwards ?? Self.bands(inputs, outputs, hasBias: bias != nil, type)
        backwards = passes == .forward ? [] : try Self.bands(outputs, inputs, hasBias: false, type)
        gradients =
            passes == .gradients
            ? try GradientProducts(
                weight.shape[0], weight.shape[1], type, height: Self.gradientTile, width: Self.columnTile)
            : nil
        input = Operand(width: inputs, type)
        rounded = type == .rounded ? try FloatBuffer(count: weight.count) : nil
        scratch.expect((forwards + backwards).map(\.products.scratchCount) + [gradients?.scratchCount ?? 0])
    }

    private static func bands(_ inputs: Int, _ outputs: Int, hasBias: Bool, _ type: OperandType) throws -> [Band] {
        var bands: [Band] = []
        for first in stride(from: 0, to: outputs, by: columnTile) {
            let columns = first..<min(first + columnTile, outputs)
            let products =
                if let last = bands.last, last.columns.count == columns.count {
                    last.products
                } else {
                    try RowProducts(rows: rowTile, few: fewRows, later: false) { rows, later in
                        try Product(
                            rows: rows, inputs: inputs, outputs: columns.count, source: type.oneDNN,
                            destinationStride: outputs, hasBias: hasBias, later: later)
                    }
                }
            bands.append(
                Band(products: products, columns: columns, packed: try FloatBuffer(count: products.all.packedCount)))
        }
        return bands
    }

    /// Reads W as it is now. To be called after every change of it, and before the first product.
    package func refresh() {
        if isShared, backwards.isEmpty { return }
        let forwards = isShared ? [] : forwards
        var source = weight.pointer
        if let rounded {
            BFloat16.round(rounded.pointer, weight.pointer, count: weight.count)
            source = UnsafePointer(rounded.pointer)
        }
        let width = weight.shape[1]
        nonisolated(unsafe) let start = source  // only read
        workers.forEach(forwards.count + backwards.count) { index in
            let isForward = index < forwards.count
            let band = isForward ? forwards[index] : backwards[index - forwards.count]
            let first = band.columns.lowerBound
            // W as it lies has its rows one after another, for the product that reads it as [shape[0],shape[1]].
            let isPlain = isForward != isTransposed
            do {
                try band.products.all.pack(
                    start + (isPlain ? first : first * width),
                    isPlain ? .rows(stride: width) : .columns(stride: width), into: band.packed.pointer)
            } catch {
                fail(Int32(onednn_out_of_memory), "the layout of weights")
            }
        }
    }

    /// Reserves memory for inputs of `rows` rows.
    package func reserve(rows: Int) throws(OutOfMemory) {
        try input.reserve(rows: rows)
        try scratch.reserve(rows: rows, width: max(inputs, outputs), type, workers: workers.count)
    }

    /// output [rows,outputs] = input [rows,inputs]·W + b. The input mustn't change before the gradients are made.
    package func forward(_ output: FloatView, _ input: FloatView, rows: Int) {
        self.input.set(input, rows: rows, workers)
        run(forwards, output, self.input, width: outputs, rows: rows, bias: bias)
    }

    /// Makes the gradients that follow from dOutput [rows,outputs].
    ///
    /// - Parameters:
    ///   - dInput: set to dx [rows,inputs]; nil where it isn't wanted.
    ///   - gradient: of W, in the order of W, and of b, to which is added; nil where it isn't wanted.
    package func backward(
        _ dInput: FloatView?, _ dOutput: FloatView, rows: Int, gradient: LinearGradient?
    ) {
        let dOutputs = scratch.operand(width: outputs, type)
        dOutputs.set(dOutput, rows: rows, workers)
        if let gradient, let gradients {
            let (left, right) = isTransposed ? (dOutputs, input) : (input, dOutputs)
            gradients.add(gradient.dWeight.pointer, left, right, rows: rows, scratch, workers)
            if let dBias = gradient.dBias { addBias(dBias, dOutput, rows: rows) }
        }
        if let dInput { run(backwards, dInput, dOutputs, width: inputs, rows: rows, bias: nil) }
    }

    /// output [rows,width] = operand · the bands' weights + bias.
    private func run(
        _ bands: [Band], _ output: FloatView, _ operand: Operand, width: Int, rows: Int, bias: Tensor?
    ) {
        let tiles = (rows + Self.rowTile - 1) / Self.rowTile
        workers.forEach(tiles * bands.count) { index, worker in
            // All tiles of a band, then the next band: its weights stay in the cache.
            let (number, tile) = index.quotientAndRemainder(dividingBy: tiles)
            let band = bands[number]
            let first = tile * Self.rowTile
            let isWhole = first + Self.rowTile <= rows
            let target = isWhole ? output.pointer + first * width : scratch.tile(worker)
            band.products.product(for: rows - first).run(
                target + band.columns.lowerBound, operand.tile(tile), band.packed.pointer,
                bias: bias.map { $0.pointer + band.columns.lowerBound }, scratch: scratch.product(worker))
            guard !isWhole else { return }
            for row in first..<rows {
                let start = row * width + band.columns.lowerBound
                (output.pointer + start).update(
                    from: target + start - first * width, count: band.columns.count)
            }
        }
    }

    private func addBias(_ dBias: UnsafeMutablePointer<Float>, _ dOutput: FloatView, rows: Int) {
        nonisolated(unsafe) let dBias = dBias  // each tile writes its own columns
        workers.forEachRange(outputs, by: Self.gradientTile) { columns in
            let sums = dBias + columns.lowerBound
            for row in 0..<rows { addVector(sums, dOutput.pointer + row * outputs + columns.lowerBound, columns.count) }
        }
    }
}
