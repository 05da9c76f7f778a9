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
package final class MatmulPrimitive: @unchecked Sendable {  // after init nothing changes any more
    private let product: OpaquePointer
    private let packed: FloatBuffer
    /// Floats of scratch memory that each concurrent run needs.
    package let scratchCount: Int

    /// - Parameter weights: [inputs,outputs], Float32, or Int8 where the source is `ONEDNN_U8`; read here and not kept.
    /// - Throws: ``OneDNNError`` where oneDNN has no such product for this CPU; ``OutOfMemory``.
    package init(
        rows: Int, inputs: Int, outputs: Int, weights: UnsafeRawPointer, source: onednn_type = ONEDNN_F32,
        destination: onednn_type = ONEDNN_F32, epilogue: onednn_epilogue = ONEDNN_STORE
    ) throws {
        var created: OpaquePointer?
        let status = onednn_matmul_create(
            &created, Int64(rows), Int64(inputs), Int64(outputs), source, destination, epilogue)
        if status == Int32(onednn_out_of_memory) { throw OutOfMemory(bytes: 4 * inputs * outputs) }
        guard status == 0, let created else {
            throw OneDNNError(operation: "a matrix product [\(rows),\(inputs)]×[\(inputs),\(outputs)]", status: status)
        }
        product = created
        scratchCount = (onednn_matmul_scratch_size(created) + 3) / 4
        do {
            packed = try FloatBuffer(count: (onednn_matmul_packed_size(created) + 3) / 4)
        } catch {
            onednn_matmul_destroy(created)
            throw error
        }
        let layout = onednn_matmul_pack(created, weights, packed.pointer)
        if layout == Int32(onednn_out_of_memory) { throw OutOfMemory(bytes: 4 * packed.count) }
        guard layout == 0 else { throw OneDNNError(operation: "layout weights", status: layout) }
    }

    deinit { onednn_matmul_destroy(product) }

    /// The name of oneDNN's kernel.
    package var implementation: String { String(cString: onednn_matmul_implementation(product)) }

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
        let status = onednn_matmul_run(product, source, packed.pointer, bias, destination, scratch)
        if status != 0 { fail(status, "a prepared matrix product") }
    }
}
