// Attention in training: the mathematics of ``Attention``, forward and backward, with products of fixed shapes that are
// compiled once, in the number type of the operands.
//
//     S = Q·Kᵀ/√d,   P = softmax(S),   O = D(P)·V
//     dV = D(P)ᵀ·dO,   dP = D(dO·Vᵀ),   dS = P ∘ (dP − Σ P∘dP),   dQ = dS·K/√d,   dK = dSᵀ·Q/√d
//
// Texts are filled up with zeros to whole blocks of queries. A block of queries meets the keys up to its own end, in
// whole blocks, so there are few shapes. The factor 1/√d goes into Q.

import COneDNN

/// Attention of one head over one text, forward and backward; any number of threads at a time.
package final class TrainedAttention: @unchecked Sendable {  // products are added only by `reserve`
    /// The number of queries in a block.
    private static let block = 64

    /// The products of a block of queries with some blocks of keys.
    private struct Products {
        /// S [block,keys] = Q·Kᵀ, and dP = dO·Vᵀ.
        let scores: Product
        /// O [block,d] = P·V, and dQ = dS·K.
        let mixture: Product
        /// dV [keys,d] += Pᵀ·dO, and dK += dSᵀ·Q.
        let keys: Product
    }

    private let d: Int
    private let isCausal: Bool
    private let type: OperandType
    private var products: [Products] = []
    private var productScratch = 0

    /// Attention for heads of width `d`.
    package init(headWidth d: Int, isCausal: Bool, _ type: OperandType) {
        (self.d, self.isCausal, self.type) = (d, isCausal, type)
    }

    /// Prepares for texts of up to `length` positions.
    ///
    /// - Throws: ``OneDNNError``, ``OutOfMemory``.
    package func reserve(length: Int) throws {
        let (block, type) = (Self.block, type.oneDNN)
        while products.count * block < length {
            let keys = (products.count + 1) * block
            let new = Products(
                scores: try Product(rows: block, inputs: d, outputs: keys, source: type, weights: .columns()),
                mixture: try Product(rows: block, inputs: keys, outputs: d, source: type, weights: .rows()),
                keys: try Product(
                    rows: keys, inputs: block, outputs: d, source: type, .columns(), weights: .rows(),
                    epilogue: ONEDNN_ADD))
            products.append(new)
            productScratch = [new.scores, new.mixture, new.keys].map(\.scratchCount).reduce(productScratch, max)
        }
    }

    /// Floats of scratch memory for texts of up to `length` positions.
    package func scratchCount(length: Int) -> Int {
        let T = Self.padded(length)
        return 4 * type.floats(T * d) + 2 * T * d + 2 * type.floats(Self.block * T) + 3 * Self.block * T
            + Self.block * d + productScratch + 11 * 16
    }

    private static func padded(_ length: Int) -> Int { (length + block - 1) / block * block }

    /// Cuts scratch memory into parts.
    private struct Parts {
        private var next: UnsafeMutablePointer<Float>

        init(_ start: UnsafeMutablePointer<Float>) { next = start }

        mutating func take(_ count: Int) -> UnsafeMutablePointer<Float> {
            defer { next += (count + 15) / 16 * 16 }
            return next
        }
    }

    /// output [T,d] from query, key, value [T,d], whose strides are those of the packed `c_attn` output.
    package func forward(
        _ output: Matrix, query: Matrix, key: Matrix, value: Matrix, length T: Int, dropout: HeadDropout? = nil,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let padded = Self.padded(T)
        var parts = Parts(scratch)
        let q = gather(query, T, &parts, scale: 1 / Float(d).squareRoot())
        let (k, v) = (gather(key, T, &parts), gather(value, T, &parts))
        let (p, mixture) = (parts.take(Self.block * padded), parts.take(Self.block * d))
        let memory = parts.take(type.floats(Self.block * padded))
        let rest = parts.take(productScratch)
        for first in stride(from: 0, to: T, by: Self.block) {
            let products = products(first, padded)
            let keys = isCausal ? first + Self.block : padded
            products.scores.run(p, at(q, first), k, scratch: rest)
            softmax(p, first: first, keys: keys, T)
            if let dropout {
                eachQuery(first, T) { row, visible in
                    dropout.drop(p + row * keys, count: visible, query: first + row)
                }
            }
            products.mixture.run(mixture, operand(p, memory, Self.block * keys), v, scratch: rest)
            for row in 0..<min(Self.block, T - first) {
                output.at(row: first + row).pointer.update(from: mixture + row * d, count: d)
            }
        }
    }

    /// Sets dQuery, dKey, dValue [T,d] from dOutput [T,d].
    package func backward(
        dQuery: Matrix, dKey: Matrix, dValue: Matrix, dOutput: Matrix, query: Matrix, key: Matrix, value: Matrix,
        length T: Int, dropout: HeadDropout? = nil, scratch: UnsafeMutablePointer<Float>
    ) {
        let padded = Self.padded(T)
        let scale = 1 / Float(d).squareRoot()
        var parts = Parts(scratch)
        let q = gather(query, T, &parts, scale: scale)
        let (k, v, dO) = (gather(key, T, &parts), gather(value, T, &parts), gather(dOutput, T, &parts))
        let (dK, dV) = (parts.take(padded * d), parts.take(padded * d))
        dK.update(repeating: 0, count: padded * d)
        dV.update(repeating: 0, count: padded * d)
        let (p, dP, mask) = (
            parts.take(Self.block * padded), parts.take(Self.block * padded), parts.take(Self.block * padded)
        )
        let dQ = parts.take(Self.block * d)
        let (weights, dScores) = (
            parts.take(type.floats(Self.block * padded)), parts.take(type.floats(Self.block * padded))
        )
        let rest = parts.take(productScratch)
        for first in stride(from: 0, to: T, by: Self.block) {
            let products = products(first, padded)
            let keys = isCausal ? first + Self.block : padded
            products.scores.run(p, at(q, first), k, scratch: rest)
            softmax(p, first: first, keys: keys, T)
            products.scores.run(dP, at(dO, first), v, scratch: rest)
            var dropped = p
            if let dropout {
                // One mask for the weights and for their gradient.
                mask.update(repeating: 0, count: Self.block * keys)
                eachQuery(first, T) { row, visible in
                    let start = row * keys
                    (mask + start).update(repeating: 1, count: visible)
                    dropout.drop(mask + start, count: visible, query: first + row)
                    hadamard(dP + start, dP + start, mask + start, visible)
                    hadamard(mask + start, p + start, mask + start, visible)
                }
                dropped = mask
            }
            products.keys.run(dV, operand(dropped, weights, Self.block * keys), at(dO, first), scratch: rest)
            for row in 0..<Self.block {
                Softmax.backward(dP + row * keys, probabilities: p + row * keys, count: keys)
            }
            let dS = operand(dP, dScores, Self.block * keys)
            products.mixture.run(dQ, dS, k, scratch: rest)
            products.keys.run(dK, dS, at(q, first), scratch: rest)
            Softmax.scale(dQ, count: Self.block * d, by: scale)
            for row in 0..<min(Self.block, T - first) {
                dQuery.at(row: first + row).pointer.update(from: dQ + row * d, count: d)
            }
        }
        for row in 0..<T {
            dKey.at(row: row).pointer.update(from: dK + row * d, count: d)
            dValue.at(row: row).pointer.update(from: dV + row * d, count: d)
        }
    }

    /// The products of the block of queries that begins at `first`.
    private func products(_ first: Int, _ padded: Int) -> Products {
        products[(isCausal ? first : padded - Self.block) / Self.block]
    }

    /// Turns scores [block,keys] into attention weights. Rows behind the text's end, and what a query mustn't see, are 0.
    private func softmax(_ p: UnsafeMutablePointer<Float>, first: Int, keys: Int, _ T: Int) {
        eachQuery(first, T) { row, visible in Softmax.causal(p + row * keys, visible: visible, count: keys) }
        let rows = min(Self.block, T - first)
        (p + rows * keys).update(repeating: 0, count: (Self.block - rows) * keys)
    }

    /// Every query of a block, and how many keys it sees.
    @inline(__always)
    private func eachQuery(_ first: Int, _ T: Int, _ body: (_ row: Int, _ visible: Int) -> Void) {
        for row in 0..<min(Self.block, T - first) { body(row, isCausal ? first + row + 1 : T) }
    }

    /// The numbers as products read them: in place for Float32, otherwise converted into `memory`.
    @inline(__always)
    private func operand(
        _ numbers: UnsafeMutablePointer<Float>, _ memory: UnsafeMutablePointer<Float>, _ count: Int
    ) -> UnsafeRawPointer {
        if case .float32 = type { return UnsafeRawPointer(numbers) }
        type.convert(memory, numbers, count: count)
        return UnsafeRawPointer(memory)
    }

    /// A copy of a strided matrix [T,d], as products read it, filled up with zeros to whole blocks.
    private func gather(_ matrix: Matrix, _ T: Int, _ parts: inout Parts, scale: Float? = nil) -> UnsafeRawPointer {
        let padded = Self.padded(T)
        let memory = UnsafeMutableRawPointer(parts.take(type.floats(padded * d)))
        withUnsafeTemporaryAllocation(of: Float.self, capacity: d) { row in
            guard let start = row.baseAddress else { return }
            for t in 0..<T {
                var source = UnsafePointer(matrix.pointer + t * matrix.stride)
                if let scale {
                    Lanes.each(d) {
                        start.store(source.lanes($0) * scale, $0)
                    } rest: {
                        start[$0] = source[$0] * scale
                    }
                    source = UnsafePointer(start)
                }
                type.convert(memory + t * d * type.bytes, source, count: d)
            }
        }
        (memory + T * d * type.bytes).initializeMemory(
            as: UInt8.self, repeating: 0, count: (padded - T) * d * type.bytes)
        return UnsafeRawPointer(memory)
    }

    /// Where row `row` of an operand [·,d] begins.
    private func at(_ operand: UnsafeRawPointer, _ row: Int) -> UnsafeRawPointer { operand + row * d * type.bytes }
}
