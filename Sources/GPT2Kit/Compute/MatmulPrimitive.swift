// A matrix product together with its weights, which never change.

import COneDNN

/// destination [rows,outputs] = epilogue(source [rows,inputs] · weights [inputs,outputs] + bias [outputs]).
package struct MatmulPrimitive: Sendable {
    private let products: RowProducts
    /// The weights.
    package let packed: PrepackedMatrix

    /// - Parameters:
    ///   - rows: how many are computed at a time.
    ///   - few: how many are computed where no more are wanted; nil for always all.
    ///   - numbers: what the weights are, where their type doesn't tell it.
    ///   - copy: what may have the weights already, packed.
    ///   - weights: gives [inputs,outputs], Float32, or Int8 where the source is `ONEDNN_U8`, to what packs them.
    /// - Throws: ``OneDNNError`` where oneDNN has no such product for this CPU; ``OutOfMemory``; what `weights` throws.
    package init(
        rows: Int, few: Int? = nil, inputs: Int, outputs: Int, source: onednn_type = ONEDNN_F32,
        destination: onednn_type = ONEDNN_F32, epilogue: onednn_epilogue = ONEDNN_STORE, numbers: String = "",
        copy: PrepackedMatrix? = nil, weights: (_ pack: (UnsafeRawPointer) throws -> Void) throws -> Void
    ) throws {
        // Kernels are made when they are needed: a short text needs that of few rows, and no other.
        products = try RowProducts(rows: rows, few: few, later: few != nil) { rows, later in
            try Product(
                rows: rows, inputs: inputs, outputs: outputs, source: source, destination: destination,
                hasBias: source != ONEDNN_U8, epilogue: epilogue, later: later)
        }
        packed = try products.all.packed(numbers: numbers, copy: copy, weights)
    }

    /// Floats of scratch memory that each concurrent run needs.
    package var scratchCount: Int { products.scratchCount }

    /// The name of oneDNN's kernel.
    package var implementation: String { products.all.implementation }

    /// Computes one product on the calling thread. It ends the process where oneDNN fails.
    ///
    /// - Parameters:
    ///   - destination: [rows,outputs].
    ///   - source: [rows,inputs].
    ///   - bias: [outputs]; nil for none.
    ///   - scratch: ``scratchCount`` floats that no other run uses at the time.
    ///   - wanted: how many of the first rows are needed at least; nil for all. They have the same bits then.
    @inline(__always)
    package func run(
        _ destination: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, bias: UnsafePointer<Float>?,
        scratch: UnsafeMutableRawPointer, wanted: Int? = nil
    ) {
        products.product(for: wanted).run(destination, source, packed.pointer, bias: bias, scratch: scratch)
    }
}
