// The activation of GPT-2's MLP: GELU in its tanh form
// (Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415, and `gelu_new` in Hugging Face's configurations).
//
// With u = √(2/π)·(x + 0.044715·x³):  ½·x·(1 + tanh u) = x·σ(2u) = x / (1 + e⁻²ᵘ).

package enum GELU {
    private static let slope: Float = 0.797_884_560_802_865_4  // √(2/π)
    private static let cubic: Float = 0.044_715

    /// σ(2u), the share of x that passes.
    @inline(__always) private static func gate(_ x: Lanes) -> Lanes {
        let u = slope * x * (cubic * (x * x) + 1)
        return 1 / (1 + exponential(-2 * u))
    }

    @inline(__always) package static func value(_ x: Lanes) -> Lanes { x * gate(x) }

    @inline(__always) private static func derivative(_ x: Lanes) -> Lanes {
        let gate = gate(x)
        let uSlope = slope * (3 * cubic * (x * x) + 1)
        return gate + 2 * x * gate * (1 - gate) * uSlope
    }

    /// output = gelu(input), `count` numbers; output and input may be the same.
    package static func forward(
        _ output: UnsafeMutablePointer<Float>, _ input: UnsafePointer<Float>, count: Int
    ) {
        var i = 0
        while i + 8 <= count {
            output.store(value(input.lanes(i)), i)
            i += 8
        }
        while i < count {
            output[i] = value(Lanes(repeating: input[i]))[0]
            i += 1
        }
    }

    /// dInput = dOutput · gelu′(input); dInput and dOutput may be the same.
    package static func backward(
        _ dInput: UnsafeMutablePointer<Float>, _ dOutput: UnsafePointer<Float>, _ input: UnsafePointer<Float>,
        count: Int
    ) {
        var i = 0
        while i + 8 <= count {
            dInput.store(dOutput.lanes(i) * derivative(input.lanes(i)), i)
            i += 8
        }
        while i < count {
            dInput[i] = dOutput[i] * derivative(Lanes(repeating: input[i]))[0]
            i += 1
        }
    }
}
