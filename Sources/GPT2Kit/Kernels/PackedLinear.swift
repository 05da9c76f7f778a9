// A fully connected layer whose weights are never changed: compiled by oneDNN for one fixed number of rows, its weights
// brought once into the layout that the CPU's best kernel wants, its epilogue (bias, GELU, residual sum) fused.

import COneDNN
import Records

/// oneDNN can't do something on this machine.
public struct OneDNNError: DiagnosableError {
    public let operation: String
    public let status: Int32

    public var diagnosis: Diagnosis {
        Diagnosis(
            source: "oneDNN \(String(cString: onednn_version()))", problem: "\(operation) failed with status \(status)",
            remedy: "install the current oneDNN of your system", status: .unavailable)
    }
}

/// The number type of a layer's products; sums, biases and results of residual layers stay Float32.
package enum LayerPrecision: Sendable {
    case float32
    case bfloat16
}

/// y = epilogue(x·W + b) on tiles of ``tileRows`` rows. Any number of threads may run it at a time.
package final class PackedLinear: @unchecked Sendable {  // after init nothing changes any more
    /// Rows of a tile: a multiple of the 6 (AVX2) and 8 (AVX-512) rows that oneDNN takes at a time, because it sums
    /// left-over rows in another order. So a row has the same bits wherever it stands.
    package static let tileRows = 48

    package enum Epilogue { case store, gelu, add }

    private let matmul: OpaquePointer
    private let packed: FloatBuffer
    private let bias: Tensor
    package let inputs: Int
    package let outputs: Int
    /// Floats of scratch memory that each worker has to give.
    package let scratchCount: Int

    package init(_ weight: Tensor, _ bias: Tensor, _ epilogue: Epilogue) throws {
        (inputs, outputs) = (weight.shape[0], weight.shape[1])
        self.bias = bias
        let kind =
            switch epilogue {
            case .store: ONEDNN_STORE
            case .gelu: ONEDNN_GELU_TANH
            case .add: ONEDNN_ADD
            }
        var created: OpaquePointer?
        let status = onednn_matmul_create(
            &created, Int64(Self.tileRows), Int64(inputs), Int64(outputs), ONEDNN_F32, ONEDNN_F32, kind)
        guard status == 0, let created else {
            throw OneDNNError(
                operation: "a matrix product [\(Self.tileRows),\(inputs)]×[\(inputs),\(outputs)]", status: status)
        }
        matmul = created
        scratchCount = (onednn_matmul_scratch_size(created) + 3) / 4
        do {
            packed = try FloatBuffer(count: (onednn_matmul_packed_size(created) + 3) / 4)
        } catch {
            onednn_matmul_destroy(created)
            throw error
        }
        let packing = onednn_matmul_pack(created, weight.pointer, packed.pointer)
        guard packing == 0 else { throw OneDNNError(operation: "packing weights", status: packing) }
    }

    deinit { onednn_matmul_destroy(matmul) }

    package var implementation: String { String(cString: onednn_matmul_implementation(matmul)) }

    /// output [tileRows,outputs] from input [tileRows,inputs]; with ``Epilogue/add`` it is added to output.
    @inline(__always)
    package func run(_ output: Region, _ input: Region, scratch: Region) {
        let status = onednn_matmul_run(
            matmul, input.pointer, packed.pointer, bias.pointer, output.pointer, scratch.pointer)
        precondition(status == 0, "oneDNN fails to run a matrix product, status \(status)")
    }
}
