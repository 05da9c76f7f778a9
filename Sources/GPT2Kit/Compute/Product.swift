// A matrix product of one shape, compiled by oneDNN once, run by any number of threads at a time.

import COneDNN
import Records

/// oneDNN can't run an operation on this machine.
public struct OneDNNError: DiagnosableError {
    /// What oneDNN was asked to do, in words.
    public let operation: String
    /// oneDNN's status code (`dnnl_status_t`).
    public let status: Int32

    public var diagnosis: Diagnosis {
        Diagnosis(
            source: "oneDNN \(String(cString: onednn_version()))", problem: "\(operation) failed with status \(status)",
            remedy: "install the current oneDNN of your system", status: .unavailable)
    }
}

/// destination [rows,outputs] = epilogue(source [rows,inputs] · weights [inputs,outputs] + bias [outputs]).
package final class Product: @unchecked Sendable {  // after init nothing changes any more
    private let matmul: OpaquePointer
    /// Floats of scratch memory that each concurrent run needs.
    package let scratchCount: Int
    /// Floats that the weights take in the product's own order.
    package let packedCount: Int

    /// How the numbers of an operand lie in memory.
    package enum Order: Sendable {
        /// Row after row, `stride` numbers apart; nil: one follows the other.
        case rows(stride: Int? = nil)
        /// Column after column: the transpose of a matrix that lies row after row.
        case columns(stride: Int? = nil)
        /// Of weights: the order that suits the CPU, which ``Product/pack(_:_:into:)`` makes.
        case packed

        fileprivate var oneDNN: (order: onednn_order, stride: Int64) {
            switch self {
            case .rows(let stride): (ONEDNN_ROWS, Int64(stride ?? 0))
            case .columns(let stride): (ONEDNN_COLUMNS, Int64(stride ?? 0))
            case .packed: (ONEDNN_PACKED, 0)
            }
        }
    }

    /// - Parameters:
    ///   - source: its number type; weights are Int8 where it is `ONEDNN_U8`, otherwise of the same type.
    ///   - destinationStride: numbers from a row of the destination to the next; nil for `outputs`.
    ///   - later: whether the kernel is made in the first run only, which then ends the process where that fails.
    /// - Throws: ``OneDNNError`` where oneDNN has no such product for this CPU; ``OutOfMemory``.
    package init(
        rows: Int, inputs: Int, outputs: Int, source: onednn_type = ONEDNN_F32, _ sourceOrder: Order = .rows(),
        weights: Order = .packed, destination: onednn_type = ONEDNN_F32, destinationStride: Int? = nil,
        hasBias: Bool = false, epilogue: onednn_epilogue = ONEDNN_STORE, later: Bool = false
    ) throws {
        let ((sourceOrder, sourceStride), (weightsOrder, weightsStride)) = (sourceOrder.oneDNN, weights.oneDNN)
        var shape = onednn_matmul_shape(
            rows: Int64(rows), inner: Int64(inputs), columns: Int64(outputs), source_type: source,
            destination_type: destination, source_order: sourceOrder, weights_order: weightsOrder,
            source_stride: sourceStride, weights_stride: weightsStride,
            destination_stride: Int64(destinationStride ?? 0), has_bias: hasBias, epilogue: epilogue,
            compile_later: later)
        var created: OpaquePointer?
        let status = onednn_matmul_create(&created, &shape)
        if status == Int32(onednn_out_of_memory) { throw OutOfMemory(bytes: 4 * inputs * outputs) }
        guard status == 0, let created else {
            throw OneDNNError(operation: "a matrix product [\(rows),\(inputs)]×[\(inputs),\(outputs)]", status: status)
        }
        matmul = created
        scratchCount = (onednn_matmul_scratch_size(created) + 3) / 4
        packedCount = (onednn_matmul_packed_size(created) + 3) / 4
    }

    deinit { onednn_matmul_destroy(matmul) }

    /// The name of oneDNN's kernel.
    package var implementation: String { String(cString: onednn_matmul_implementation(matmul)) }

    /// The order that ``pack(_:_:into:)`` brings weights into, in words: equal words, equal orders. nil where oneDNN doesn't
    /// tell it.
    package var layout: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
            guard let start = text.baseAddress else { return nil }
            onednn_matmul_layout(matmul, start, text.count)
            return start[0] == 0 ? nil : String(cString: start)
        }
    }

    /// Brings weights [inputs,outputs], Float32 (Int8 for a source of `ONEDNN_U8`), into the product's own order.
    ///
    /// - Parameter packed: ``packedCount`` floats.
    /// - Throws: ``OneDNNError``, ``OutOfMemory``.
    package func pack(_ weights: UnsafeRawPointer, _ order: Order = .rows(), into packed: UnsafeMutablePointer<Float>)
        throws
    {
        let (order, stride) = order.oneDNN
        let status = onednn_matmul_pack(matmul, weights, order, stride, packed)
        if status == Int32(onednn_out_of_memory) { throw OutOfMemory(bytes: 4 * packedCount) }
        guard status == 0 else { throw OneDNNError(operation: "layout weights", status: status) }
    }

    /// Computes one product on the calling thread. It ends the process where oneDNN fails.
    ///
    /// - Parameters:
    ///   - destination: [rows,outputs].
    ///   - source: [rows,inputs].
    ///   - weights: [inputs,outputs] in the product's order.
    ///   - bias: [outputs] of a product that has one, otherwise nil.
    ///   - scratch: ``scratchCount`` floats that no other run uses at the time.
    @inline(__always)
    package func run(
        _ destination: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, _ weights: UnsafeRawPointer,
        bias: UnsafePointer<Float>? = nil, scratch: UnsafeMutableRawPointer
    ) {
        let status = onednn_matmul_run(matmul, source, weights, bias, destination, scratch)
        if status != 0 { fail(status, "a prepared matrix product") }
    }
}
