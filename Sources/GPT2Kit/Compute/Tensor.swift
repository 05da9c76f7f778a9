// Arrays of numbers with a shape.

import Platform

/// Keeps a read-only mapping of a file alive, in which tensors lie.
package protocol MappedOwner: AnyObject {}

/// A parameter, its gradient, or any other array of numbers with a shape; row-major.
///
/// A tensor is a view that keeps the memory of its numbers alive, a ``FloatBuffer`` or a mapped file. Numbers of a
/// mapped file can't be written.
///
/// Sendable without a lock: whoever hands a tensor to several threads gives each its own part to write.
public struct Tensor: @unchecked Sendable {
    /// The sizes of the dimensions, the outermost first.
    public let shape: [Int]
    /// The first number. Valid as long as the tensor lives.
    public let pointer: UnsafePointer<Float>
    private let owner: AnyObject
    private let isWritable: Bool

    /// A view of `shape` at `pointer`, which `owner` keeps alive, and which nobody writes through this tensor.
    package init(shape: [Int], reading pointer: UnsafePointer<Float>, owner: AnyObject) {
        self.shape = shape
        self.pointer = pointer
        self.owner = owner
        isWritable = false
    }

    /// A tensor of zeros, with memory of its own.
    ///
    /// - Throws: ``OutOfMemory``.
    public init(shape: [Int]) throws(OutOfMemory) {
        let buffer = try FloatBuffer(count: shape.reduce(1) { $0.multipliedSaturating(by: $1) })
        self.shape = shape
        pointer = UnsafePointer(buffer.pointer)
        owner = buffer
        isWritable = true
    }

    /// How many numbers the tensor has: the product of its shape.
    public var count: Int { shape.reduce(1, *) }

    /// All numbers, row-major. Valid as long as the tensor lives.
    public var values: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: pointer, count: count) }

    /// Where the numbers can be written.
    ///
    /// - Precondition: the tensor has memory of its own.
    package var mutablePointer: UnsafeMutablePointer<Float> {
        precondition(isWritable, "a tensor of a mapped file is written")
        return UnsafeMutablePointer(mutating: pointer)
    }

    /// ``values``, to be written. The precondition is that of ``mutablePointer``.
    package var mutableValues: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: mutablePointer, count: count)
    }

    /// Announces that the numbers won't be read soon. Those of a mapped file leave memory, and are read from the file
    /// again when they are needed after all; others stay.
    package func release() {
        guard owner is any MappedOwner else { return }
        let page = 1 << 16
        let start = (Int(bitPattern: pointer) + page - 1) / page * page
        let end = Int(bitPattern: pointer + count) / page * page
        guard start < end else { return }
        madvise(UnsafeMutableRawPointer(bitPattern: start), end - start, MADV_DONTNEED)
    }

    /// A tensor with memory of its own, and the same numbers.
    package func copied() throws(OutOfMemory) -> Tensor {
        let copy = try Tensor(shape: shape)
        copy.mutablePointer.update(from: pointer, count: count)
        return copy
    }
}
