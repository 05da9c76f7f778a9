// Arrays of numbers with a shape.

import Platform

/// Keeps a mapped file alive, read-only, from which tensors are read.
package protocol MappedOwner: AnyObject {}

/// A parameter, its gradient, or any other array of numbers with a shape; row-major.
///
/// A tensor is a view: it keeps alive what its numbers are in, a ``FloatBuffer`` or a mapped file. Those of a mapped file
/// can't be written.
///
/// Sendable without a lock: whoever hands a tensor to several threads gives each its own part to write.
public struct Tensor: @unchecked Sendable {
    public let shape: [Int]
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

    /// Zeros.
    public init(shape: [Int]) throws(OutOfMemory) {
        let buffer = try FloatBuffer(count: shape.reduce(1, *))
        self.shape = shape
        pointer = UnsafePointer(buffer.pointer)
        owner = buffer
        isWritable = true
    }

    public var count: Int { shape.reduce(1, *) }

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

    /// Tells that the numbers won't be read for long. Those of a mapped file leave memory, and come back from the file
    /// when they are read all the same; others stay.
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
