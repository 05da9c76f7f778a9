// Weights in the order in which a CPU multiplies them: in memory, or in a mapped file that was written on an earlier day.

/// A packed matrix, and what keeps its memory alive.
package struct PrepackedMatrix: @unchecked Sendable {  // the bytes never change
    /// Number type and order, in words: equal words, equal bytes for the same weights. Empty where oneDNN doesn't tell them.
    package let layout: String
    /// The numbers as the product reads them, at a multiple of 64 bytes.
    package let bytes: UnsafeRawBufferPointer
    private let owner: any Sendable

    /// Memory that `owner` keeps, and nobody writes.
    package init(layout: String, bytes: UnsafeRawBufferPointer, owner: any Sendable) {
        self.layout = layout
        self.bytes = bytes
        self.owner = owner
    }

    /// The first number.
    @inline(__always)
    var pointer: UnsafeRawPointer { bytes.baseAddress.unsafelyUnwrapped }
}

extension Product {
    /// Weights [inputs,outputs] in the product's own order: those of `copy` where it has them, otherwise made of `weights`.
    ///
    /// - Parameters:
    ///   - numbers: what the numbers are, where the layout alone doesn't tell that.
    ///   - copy: what may have them already; nil for nothing.
    ///   - weights: gives the weights to what packs them, where that is needed.
    /// - Throws: ``OneDNNError``, ``OutOfMemory``, and what `weights` throws.
    func packed(
        numbers: String = "", copy: PrepackedMatrix? = nil,
        _ weights: (_ pack: (UnsafeRawPointer) throws -> Void) throws -> Void
    ) throws -> PrepackedMatrix {
        let layout = layout.map { numbers + $0 } ?? ""
        if let copy, !layout.isEmpty, copy.layout == layout, copy.bytes.count == Self.bytes(packedCount) { return copy }
        let buffer = try FloatBuffer(count: Self.bytes(packedCount) / 4)
        try weights { try pack($0, into: buffer.pointer) }
        return PrepackedMatrix(layout: layout, bytes: UnsafeRawBufferPointer(buffer.values), owner: buffer)
    }

    /// The bytes of `count` floats, filled up to a multiple of 64.
    private static func bytes(_ count: Int) -> Int { (4 * count + 63) / 64 * 64 }
}
