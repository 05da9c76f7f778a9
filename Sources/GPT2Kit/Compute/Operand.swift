// The left operand of products over many rows, in tiles.

/// A matrix [rows,width] of activations as products read it: in tiles of ``PackedLinear/rowTile`` rows, the last of which
/// is filled up with zeros.
final class Operand: @unchecked Sendable {  // each tile is written by one worker, then only read
    private static var tile: Int { PackedLinear.rowTile }
    private let width: Int
    private let type: OperandType
    private var buffer: FloatBuffer?
    private var capacity = 0
    /// Whole tiles; for Float32 these are the activations themselves.
    private var whole = UnsafeRawPointer(bitPattern: 64)!
    private var wholeTiles = 0
    /// The last tile, where it isn't whole.
    private var last = UnsafeRawPointer(bitPattern: 64)!

    init(width: Int, _ type: OperandType) {
        self.width = width
        self.type = type
    }

    /// An operand over memory that the caller keeps alive, ``floats(rows:width:_:)`` floats.
    init(width: Int, _ type: OperandType, _ buffer: FloatBuffer) {
        self.width = width
        self.type = type
        self.buffer = buffer
        capacity = .max
    }

    /// Floats of memory for `rows` rows.
    static func floats(rows: Int, width: Int, _ type: OperandType) -> Int {
        type.floats((type == .float32 ? tile : (rows + tile - 1) / tile * tile) * width)
    }

    func reserve(rows: Int) throws(OutOfMemory) {
        guard rows > capacity else { return }
        buffer = nil
        buffer = try FloatBuffer(count: Self.floats(rows: rows, width: width, type))
        capacity = rows
    }

    /// Takes over activations [rows,width]. Those of Float32 aren't copied, so they mustn't change until the last product.
    func set(_ values: FloatView, rows: Int, _ workers: Workers) {
        guard let buffer else { preconditionFailure("an operand without memory") }
        nonisolated(unsafe) let memory = UnsafeMutableRawPointer(buffer.pointer)  // each tile writes its own part
        let (size, bytes) = (Self.tile * width, type.bytes)
        wholeTiles = rows / Self.tile
        let left = rows - wholeTiles * Self.tile
        if type == .float32 {
            whole = UnsafeRawPointer(values.pointer)
            last = UnsafeRawPointer(memory)
            if left > 0 { fillLast(memory, values, left) }
            return
        }
        whole = UnsafeRawPointer(memory)
        last = whole + wholeTiles * size * bytes
        workers.forEach(wholeTiles + (left > 0 ? 1 : 0)) { tile in
            if tile == wholeTiles {
                fillLast(memory + tile * size * bytes, values, left)
            } else {
                type.convert(memory + tile * size * bytes, values.pointer + tile * size, count: size)
            }
        }
    }

    private func fillLast(_ memory: UnsafeMutableRawPointer, _ values: FloatView, _ rows: Int) {
        let count = rows * width
        type.convert(memory, values.pointer + wholeTiles * Self.tile * width, count: count)
        (memory + count * type.bytes).initializeMemory(
            as: UInt8.self, repeating: 0, count: (Self.tile * width - count) * type.bytes)
    }

    /// The rows of a tile.
    func tile(_ tile: Int) -> UnsafeRawPointer {
        tile < wholeTiles ? whole + tile * Self.tile * width * type.bytes : last
    }

    /// How many tiles, beginning at `tile`, lie one behind another; at most `most`.
    func run(from tile: Int, most: Int) -> Int {
        tile < wholeTiles ? min(most, wholeTiles - tile) : 1
    }

    /// Where `column` begins in a tile.
    func at(_ tile: Int, column: Int) -> UnsafeRawPointer { self.tile(tile) + column * type.bytes }
}

/// Working memory that layers share which don't run at the same time.
package final class ProductScratch: @unchecked Sendable {  // each worker has its own part
    private var products: [FloatBuffer] = []
    private var tiles: [FloatBuffer] = []
    private var operandMemory: FloatBuffer?
    private var productCount = 0

    package init() {}

    /// Notes products that need these numbers of floats; ``reserve(rows:width:_:workers:)`` makes room for them.
    func expect(_ counts: [Int]) {
        productCount = max(productCount, counts.max() ?? 0)
    }

    /// Makes room for operands and results of `rows` rows.
    func reserve(rows: Int, width: Int, _ type: OperandType, workers: Int) throws(OutOfMemory) {
        let operand = Operand.floats(rows: rows, width: width, type)
        if operandMemory.map({ $0.count < operand }) ?? true {
            operandMemory = nil
            operandMemory = try FloatBuffer(count: operand)
        }
        if products.count < workers || products[0].count < productCount {
            products = []
            for _ in 0..<workers { products.append(try FloatBuffer(count: productCount)) }
        }
        if tiles.count < workers || tiles[0].count < PackedLinear.rowTile * width {
            tiles = []
            for _ in 0..<workers { tiles.append(try FloatBuffer(count: PackedLinear.rowTile * width)) }
        }
    }

    /// A new operand in the shared memory. The former one isn't valid any more.
    func operand(width: Int, _ type: OperandType) -> Operand {
        guard let operandMemory else { preconditionFailure("an operand without memory") }
        return Operand(width: width, type, operandMemory)
    }

    /// The memory of a worker's products.
    func product(_ worker: Int) -> UnsafeMutablePointer<Float> { products[worker].pointer }
    /// [rowTile,width], for results that aren't a whole tile.
    func tile(_ worker: Int) -> UnsafeMutablePointer<Float> { tiles[worker].pointer }
}
