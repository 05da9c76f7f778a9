// The tensors of another program's file. Every one that is asked for is noted, so that none is left out unseen.

import GPT2Kit
import Safetensors

/// Tensors by name, from safetensors files.
final class ForeignTensors {
    let weights: WeightFiles
    private var asked: Set<String> = []

    init(_ weights: WeightFiles) { self.weights = weights }

    /// What errors call the file.
    var source: String { weights.directory }

    func contains(_ name: String) -> Bool { weights.contains(name) }

    /// The sizes of the tensor.
    func shape(_ name: String) throws -> [Int] {
        guard contains(name) else { throw ConversionError.missingTensor(name, file: source) }
        return try weights.description(of: name).shape
    }

    /// The sizes of the tensor, which has two dimensions.
    func matrixShape(_ name: String) throws -> (rows: Int, columns: Int) {
        let shape = try shape(name)
        guard shape.count == 2 else {
            throw ConversionError.malformed(
                "tensor \(name) has \(shape.count) dimensions instead of 2", at: nil, file: source)
        }
        return (shape[0], shape[1])
    }

    /// A copy of the tensor, which has to have `shape`.
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
        // Before memory is taken: what a file says of its sizes isn't to be trusted.
        let found = try self.shape(name)
        guard found == shape else {
            throw ConversionError.wrongShape(name, expected: shape, got: found, file: source)
        }
        asked.insert(name)
        let tensor = try Tensor(shape: shape)
        try weights.copyFloats(name, shape: shape, into: tensor.mutableValues)
        return tensor
    }

    /// A copy of the tensor [rows,columns], transposed: [columns,rows].
    func transposed(_ name: String, rows: Int, columns: Int) throws -> Tensor {
        let (source, result) = (try tensor(name, [rows, columns]), try Tensor(shape: [columns, rows]))
        result.place(transposing: source, atColumn: 0)
        return result
    }

    /// Refuses tensors that nobody has asked for, but those that `isIgnored` knows.
    func finish(ignoring isIgnored: (String) -> Bool) throws(ConversionError) {
        for name in weights.names where !asked.contains(name) && !isIgnored(name) {
            throw .unknownTensor(name, file: source)
        }
    }
}

extension Tensor {
    /// Writes the transpose of `source` [r,c] into the columns from `column` on of this matrix [c,n].
    func place(transposing source: Tensor, atColumn column: Int) {
        let (rows, columns) = (source.shape[0], source.shape[1])
        let width = shape[1]
        // Squares, so that what is read and what is written both stay in the cache.
        let side = 32
        for firstRow in stride(from: 0, to: rows, by: side) {
            for firstColumn in stride(from: 0, to: columns, by: side) {
                for j in firstColumn..<min(firstColumn + side, columns) {
                    for i in firstRow..<min(firstRow + side, rows) {
                        mutablePointer[j * width + column + i] = source.pointer[i * columns + j]
                    }
                }
            }
        }
    }
}
