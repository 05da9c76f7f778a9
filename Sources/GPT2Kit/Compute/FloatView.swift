// Pieces of working memory.

/// Floats in memory that an ``Workspace``, a ``FloatBuffer`` or a ``Tensor`` owns.
package struct FloatView: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Float>

    package init(_ pointer: UnsafeMutablePointer<Float>) { self.pointer = pointer }

    /// Nothing yet: never read before it is replaced.
    package init() { pointer = UnsafeMutablePointer(bitPattern: 64)! }

    /// Seen as rows of `width` numbers.
    @inline(__always) package func matrix(_ width: Int) -> Matrix { Matrix(pointer, stride: width) }

    @inline(__always) package func advanced(by count: Int) -> FloatView { FloatView(pointer + count) }

    package func add(_ other: FloatView, _ count: Int, _ workers: Workers) {
        workers.forEachRange(count, by: 1 << 15) { range in
            addVector(pointer + range.lowerBound, other.pointer + range.lowerBound, range.count)
        }
    }

    package func copy(_ other: FloatView, _ count: Int, _ workers: Workers) {
        workers.forEachRange(count, by: 1 << 15) { range in
            (pointer + range.lowerBound).update(from: other.pointer + range.lowerBound, count: range.count)
        }
    }
}
