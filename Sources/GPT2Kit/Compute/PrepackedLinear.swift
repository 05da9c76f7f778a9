// A fully connected layer whose weights never change. oneDNN compiles it for one fixed number of rows, with the
// epilogue (bias, GELU, residual sum) fused. The weights are brought once into the layout and number type that the
// CPU's best kernel wants.

import COneDNN

/// y = epilogue(x·W + b) on tiles of ``tileRows`` rows. Any number of threads may run it at a time.
package struct PrepackedLinear: Sendable {
    /// Rows of a tile: a multiple of the 6 (AVX2) and 8 (AVX-512) rows that oneDNN takes at a time. It sums left-over
    /// rows in another order; without any, a row has the same bits in any place.
    package static let tileRows = 48
    /// Rows that are computed where no more are wanted: a multiple of the same.
    package static let fewRows = 24

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
    ///   - copy: the same weights, as a layer has ``packed`` them; they are used where this layer packs them so, too.
    package init(
        _ weight: Tensor, _ bias: Tensor, _ epilogue: Epilogue, _ precision: Precision = .float32,
        copy: PrepackedMatrix? = nil
    ) throws {
        let (inputs, outputs) = (weight.shape[0], weight.shape[1])
        (self.inputs, self.outputs, self.bias) = (inputs, outputs, bias)
        let sourceCount = Self.tileRows * inputs
        func compile(_ source: onednn_type = ONEDNN_F32, numbers: String = "", _ weights: () throws -> Tensor) throws
            -> MatmulPrimitive
        {
            let fused: onednn_epilogue =
                switch epilogue {
                case .store: ONEDNN_STORE
                case .gelu: ONEDNN_GELU_TANH
                case .add: ONEDNN_ADD
                }
            return try MatmulPrimitive(
                rows: Self.tileRows, few: Self.fewRows, inputs: inputs, outputs: outputs, source: source,
                epilogue: fused, numbers: numbers, copy: copy
            ) { pack in
                let weights = try weights()
                try withExtendedLifetime(weights) { try pack(weights.pointer) }
            }
        }
        switch precision {
        case .float32:
            let product = try compile { weight }
            (arithmetic, scratchCount) = (.float32(product), product.scratchCount)
        case .bfloat16:
            if let product = try Self.ifSupported({ try compile(ONEDNN_BF16) { weight } }) {
                (arithmetic, scratchCount) = (.bfloat16(product), (sourceCount + 1) / 2 + 16 + product.scratchCount)
            } else {
                let product = try compile(numbers: "rounded, ") {
                    let weight = try weight.copied()
                    BFloat16.round(weight.mutablePointer, weight.pointer, count: weight.count)
                    return weight
                }
                (arithmetic, scratchCount) = (.rounded(product), sourceCount + product.scratchCount)
            }
        case .int8:
            let layer = try QuantizedLinear(weight, bias, epilogue, rows: Self.tileRows)
            (arithmetic, scratchCount) = (.int8(layer), layer.scratchCount)
        }
    }

    /// How many rows are computed where `wanted` are, at least.
    package static func computed(_ wanted: Int) -> Int { wanted <= fewRows ? fewRows : tileRows }

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

    /// The weights as this layer reads them; nil for 8-bit integers, which have scales beside them.
    package var packed: PrepackedMatrix? {
        switch arithmetic {
        case .float32(let product), .bfloat16(let product), .rounded(let product): product.packed
        case .int8: nil
        }
    }

    /// output [tileRows,outputs] from input [tileRows,inputs]; with ``Epilogue/add`` it is added to output.
    ///
    /// - Parameter wanted: how many of the first rows are needed; the others may stay as they are.
    @inline(__always)
    package func run(_ output: FloatView, _ input: FloatView, scratch: FloatView, wanted: Int = tileRows) {
        let count = Self.tileRows * inputs
        switch arithmetic {
        case .float32(let product):
            product.run(output.pointer, input.pointer, bias: bias.pointer, scratch: scratch.pointer, wanted: wanted)
        case .bfloat16(let product):
            BFloat16.convert(scratch.pointer, input.pointer, count: Self.computed(wanted) * inputs)
            let rest = scratch.pointer + ((count + 1) / 2 + 15) / 16 * 16
            product.run(output.pointer, scratch.pointer, bias: bias.pointer, scratch: rest, wanted: wanted)
        case .rounded(let product):
            BFloat16.round(scratch.pointer, input.pointer, count: Self.computed(wanted) * inputs)
            product.run(
                output.pointer, scratch.pointer, bias: bias.pointer, scratch: scratch.pointer + count, wanted: wanted)
        case .int8(let layer):
            layer.run(output, input, scratch: scratch)
        }
    }
}
