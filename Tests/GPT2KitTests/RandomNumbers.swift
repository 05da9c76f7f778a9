// Random numbers for tests, always from a printed or written seed, and comparisons of bits.

import GPT2Kit
import Records
import Testing

/// `count` numbers of N(0, deviation²).
func normals(_ count: Int, _ generator: inout SeededGenerator, deviation: Double = 1) -> [Float] {
    (0..<count).map { _ in Float(deviation * generator.nextNormal()) }
}

extension Tensor {
    /// A tensor with these numbers.
    init(_ values: [Float], shape: [Int]? = nil) throws {
        try self.init(shape: shape ?? [values.count])
        _ = self.mutableValues.update(fromContentsOf: values)
    }

    /// A tensor of N(0, deviation²).
    init(random shape: [Int], _ generator: inout SeededGenerator, deviation: Double = 1) throws {
        try self.init(normals(shape.reduce(1, *), &generator, deviation: deviation), shape: shape)
    }

    var array: [Float] { Array(values) }
    var region: FloatView { FloatView(mutablePointer) }
    /// Seen as a matrix of its last dimension's width.
    var matrix: Matrix { Matrix(mutablePointer, stride: shape[shape.count - 1]) }
}

/// The bits of `values`: −0 and 0 differ, and equal NaNs are equal.
func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }

/// op(A)·op(B) in double precision, for A [m,k] or [k,m] and B [k,n] or [n,k].
func naiveProduct(
    _ a: [Float], _ b: [Float], m: Int, n: Int, k: Int, transposeA: Bool = false, transposeB: Bool = false
) -> [Double] {
    var c = [Double](repeating: 0, count: m * n)
    for i in 0..<m {
        for j in 0..<n {
            for l in 0..<k {
                c[i * n + j] +=
                    Double(transposeA ? a[l * m + i] : a[i * k + l]) * Double(transposeB ? b[j * k + l] : b[l * n + j])
            }
        }
    }
    return c
}

func floats(_ values: [Double]) -> [Float] { values.map { Float($0) } }
