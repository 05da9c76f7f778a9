// Memory for the numbers. All mathematics of this module runs on plain pointers into these buffers; everything that
// owns memory is in this file.

import Records

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The system has no more memory.
public struct OutOfMemory: DiagnosableError {
    /// Bytes asked for.
    public let bytes: Int

    public var diagnosis: Diagnosis {
        Diagnosis(
            source: "memory", problem: "\(bytes >> 20) MiB are needed, more than the system gives",
            remedy: "use a smaller model, batch or length, or a machine with more memory", status: .osLimit)
    }
}

/// Float32 memory, zeroed, aligned to 64 bytes: a cache line, and the widest vector register.
///
/// Sendable without a lock: whoever hands a buffer to several threads gives each its own part to write.
public final class FloatBuffer: @unchecked Sendable {
    public let count: Int
    public let pointer: UnsafeMutablePointer<Float>

    public init(count: Int) throws(OutOfMemory) {
        let (bytes, overflow) = max(count, 16).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        var memory: UnsafeMutableRawPointer?
        guard !overflow, posix_memalign(&memory, 64, bytes) == 0, let memory else {
            throw OutOfMemory(bytes: overflow ? .max : bytes)
        }
        memset(memory, 0, bytes)
        self.count = count
        pointer = memory.bindMemory(to: Float.self, capacity: count)
    }

    deinit { free(pointer) }

    package var values: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }
}

/// A parameter, its gradient, or any other array of numbers with a shape; row-major.
///
/// A tensor is a view: `owner` keeps alive what `pointer` points to, a ``FloatBuffer`` or a mapped file. Views of a
/// mapped file must not be written.
public struct Tensor: @unchecked Sendable {
    public let shape: [Int]
    public let pointer: UnsafeMutablePointer<Float>
    private let owner: AnyObject

    /// A view of `shape` at `pointer`, which `owner` keeps alive.
    package init(shape: [Int], pointer: UnsafeMutablePointer<Float>, owner: AnyObject) {
        self.shape = shape
        self.pointer = pointer
        self.owner = owner
    }

    /// Zeros.
    public init(shape: [Int]) throws(OutOfMemory) {
        let buffer = try FloatBuffer(count: shape.reduce(1, *))
        self.init(shape: shape, pointer: buffer.pointer, owner: buffer)
    }

    public var count: Int { shape.reduce(1, *) }

    public var values: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

    /// A tensor of its own with the same numbers.
    package func copied() throws(OutOfMemory) -> Tensor {
        let copy = try Tensor(shape: shape)
        copy.pointer.update(from: pointer, count: count)
        return copy
    }
}
