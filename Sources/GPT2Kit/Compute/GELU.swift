// The activation of GPT-2's MLP: GELU in its tanh form
// (Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415, and `gelu_new` in Hugging Face's configurations).
//
// With u = √(2/π)·(x + 0.044715·x³):  ½·x·(1 + tanh u) = x·σ(2u) = x / (1 + e⁻²ᵘ).

/// GELU in its tanh form, forward and backward.
package enum GELU {
    private static let slope: Float = 0.797_884_560_802_865_4  // √(2/π)
    private static let cubic: Float = 0.044_715

    /// e⁻²ᵘ.
    @inline(__always) private static func power(_ x: Lanes) -> Lanes {
        let u = slope * x * (cubic * (x * x) + 1)
        return exponential(-2 * u)
    }

    /// gelu(x) = x·σ(2u) in every lane.
    @inline(__always) package static func value(_ x: Lanes) -> Lanes { x / (1 + power(x)) }

    /// With the gate σ = σ(2u): σ + 2x·σ·(1 − σ)·u′. 1 − σ is e⁻²ᵘ·σ, which doesn't cancel.
    @inline(__always) private static func derivative(_ x: Lanes) -> Lanes {
        let power = power(x)
        let gate = 1 / (1 + power)
        let uSlope = slope * (3 * cubic * (x * x) + 1)
        return gate + 2 * x * gate * (power * gate) * uSlope
    }

    /// output = gelu(input), `count` numbers; output and input may be the same.
    package static func forward(
        _ output: UnsafeMutablePointer<Float>, _ input: UnsafePointer<Float>, count: Int
    ) {
        Lanes.each(count) { i in
            output.store(value(input.lanes(i)), i)
        } rest: { i in
            output[i] = value(Lanes(repeating: input[i]))[0]
        }
    }

    /// dInput = dOutput · gelu′(input); dInput and dOutput may be the same.
    package static func backward(
        _ dInput: UnsafeMutablePointer<Float>, _ dOutput: UnsafePointer<Float>, _ input: UnsafePointer<Float>,
        count: Int
    ) {
        Lanes.each(count) { i in
            dInput.store(dOutput.lanes(i) * derivative(input.lanes(i)), i)
        } rest: { i in
            dInput[i] = dOutput[i] * derivative(Lanes(repeating: input[i]))[0]
        }
    }
}
