// A matrix product together with its weights, which never change.

import COneDNN

/// destination [rows,outputs] = epilogue(source [rows,inputs] · weights [inputs,outputs] + bias [outputs]).
package struct MatmulPrimitive: Sendable {
    private let product: Product
    private let packed: FloatBuffer

    /// - Parameter weights: [inputs,outputs], Float32, or Int8 where the source is `ONEDNN_U8`; read here and not kept.
    /// - Throws: ``OneDNNError`` where oneDNN has no such product for this CPU; ``OutOfMemory``.
    package init(
        rows: Int, inputs: Int, outputs: Int, weights: UnsafeRawPointer, source: onednn_type = ONEDNN_F32,
        destination: onednn_type = ONEDNN_F32, epilogue: onednn_epilogue = ONEDNN_STORE
    ) throws {
        product = try Product(
            rows: rows, inputs: inputs, outputs: outputs, source: source, destination: destination,
            hasBias: source != ONEDNN_U8, epilogue: epilogue)
        packed = try FloatBuffer(count: product.packedCount)
        try product.pack(weights, into: packed.pointer)
    }

    /// Floats of scratch memory that each concurrent run needs.
    package var scratchCount: Int { product.scratchCount }

    /// The name of oneDNN's kernel.
    package var implementation: String { product.implementation }

    /// Computes one product on the calling thread. It ends the process where oneDNN fails.
    ///
    /// - Parameters:
    ///   - destination: [rows,outputs].
    ///   - source: [rows,inputs].
    ///   - bias: [outputs]; nil for none.
    ///   - scratch: ``scratchCount`` floats that no other run uses at the time.
    @inline(__always)
    package func run(
        _ destination: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, bias: UnsafePointer<Float>?,
        scratch: UnsafeMutableRawPointer
    ) {
        product.run(destination, source, packed.pointer, bias: bias, scratch: scratch)
    }
}
