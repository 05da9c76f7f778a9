// A fully connected layer whose weights never change. oneDNN compiles it for one fixed number of rows, with the
// epilogue (bias, GELU, residual sum) fused. The weights are brought once into the layout and number type that the
// CPU's best kernel wants.

import COneDNN

/// y = epilogue(x·W + b) on tiles of ``tileRows`` rows. Any number of threads may run it at a time.
package struct PrepackedLinear: Sendable {
    /// Rows of a tile: a multiple of the 6 (AVX2) and 8 (AVX-512) rows that oneDNN takes at a time. It sums left-over
    /// rows in another order; without any, a row has the same bits in any place.
    package static let tileRows = 48

    /// What follows product and bias: nothing, GELU, or the sum with what the output holds.
    package enum Epilogue: Sendable { case store, gelu, add }

    private enum Arithmetic {
        case float32(MatmulPrimitive)
        case bfloat16(MatmulPrimitive)
        /// bf16 on a CPU without it: operands rounded, products in Float32.
        case rounded(MatmulPrimitive)
        case int8(QuantizedLinear)
    }

    private let arithmetic: Arithmetic
    private let bias: Tensor
    /// Numbers in a row of the input.
    package let inputs: Int
    /// Numbers in a row of the output.
    package let outputs: Int
    /// Floats of scratch memory that each worker provides.
    package let scratchCount: Int

    /// - Parameters:
    ///   - weight: [inputs,outputs], read here and not kept.
    ///   - bias: [outputs].
    package init(_ weight: Tensor, _ bias: Tensor, _ epilogue: Epilogue, _ precision: Precision = .float32) throws {
        let (inputs, outputs) = (weight.shape[0], weight.shape[1])
        (self.inputs, self.outputs, self.bias) = (inputs, outputs, bias)
        let sourceCount = Self.tileRows * inputs
        func compile(_ weights: Tensor, _ source: onednn_type = ONEDNN_F32) throws -> MatmulPrimitive {
            let fused: onednn_epilogue =
                switch epilogue {
                case .store: ONEDNN_STORE
                case .gelu: ONEDNN_GELU_TANH
                case .add: ONEDNN_ADD
                }
            return try MatmulPrimitive(
                rows: Self.tileRows, inputs: inputs, outputs: outputs, weights: weights.pointer, source: source,
                epilogue: fused)
        }
        switch precision {
        case .float32:
            let product = try compile(weight)
            (arithmetic, scratchCount) = (.float32(product), product.scratchCount)
        case .bfloat16:
            if let product = try Self.ifSupported({ try compile(weight, ONEDNN_BF16) }) {
                (arithmetic, scratchCount) = (.bfloat16(product), (sourceCount + 1) / 2 + 16 + product.scratchCount)
            } else {
                let weight = try weight.copied()
                BFloat16.round(weight.mutablePointer, weight.pointer, count: weight.count)
                let product = try compile(weight)
                (arithmetic, scratchCount) = (.rounded(product), sourceCount + product.scratchCount)
            }
        case .int8:
            let layer = try QuantizedLinear(weight, bias, epilogue, rows: Self.tileRows)
            (arithmetic, scratchCount) = (.int8(layer), layer.scratchCount)
        }
    }

    /// The result of `compile`; nil where this CPU, or this oneDNN, has no product in bf16.
    private static func ifSupported(_ compile: () throws -> MatmulPrimitive) throws -> MatmulPrimitive? {
        guard onednn_has_bf16() else { return nil }
        do {
            return try compile()
        } catch is OneDNNError {
            return nil
        }
    }

    /// The name of oneDNN's kernel.
    package var implementation: String {
        switch arithmetic {
        case .float32(let product), .bfloat16(let product), .rounded(let product): product.implementation
        case .int8(let layer): layer.implementation
        }
    }

    /// output [tileRows,outputs] from input [tileRows,inputs]; with ``Epilogue/add`` it is added to output.
    @inline(__always)
    package func run(_ output: FloatView, _ input: FloatView, scratch: FloatView) {
        let count = Self.tileRows * inputs
        switch arithmetic {
        case .float32(let product):
            product.run(output.pointer, input.pointer, bias: bias.pointer, scratch: scratch.pointer)
        case .bfloat16(let product):
            BFloat16.convert(scratch.pointer, input.pointer, count: count)
            let rest = scratch.pointer + ((count + 1) / 2 + 15) / 16 * 16
            product.run(output.pointer, scratch.pointer, bias: bias.pointer, scratch: rest)
        case .rounded(let product):
            BFloat16.round(scratch.pointer, input.pointer, count: count)
            product.run(output.pointer, scratch.pointer, bias: bias.pointer, scratch: scratch.pointer + count)
        case .int8(let layer):
            layer.run(output, input, scratch: scratch)
        }
    }
}
