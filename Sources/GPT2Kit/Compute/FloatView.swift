// Views of working memory.

/// Floats in memory that a ``Workspace``, a ``FloatBuffer`` or a ``Tensor`` owns.
package struct FloatView: @unchecked Sendable {
    /// The first number of the view.
    package let pointer: UnsafeMutablePointer<Float>

    /// A view of memory that the caller keeps alive.
    package init(_ pointer: UnsafeMutablePointer<Float>) { self.pointer = pointer }

    /// A placeholder, which is replaced before anything reads or writes it.
    package init() { pointer = UnsafeMutablePointer(bitPattern: 64)! }

    /// The numbers as rows of `width`, one row behind another.
    @inline(__always) package func matrix(_ width: Int) -> Matrix { Matrix(pointer, stride: width) }

    /// The view that begins `count` numbers further on.
    @inline(__always) package func advanced(by count: Int) -> FloatView { FloatView(pointer + count) }

    /// self [count] += other [count].
    package func add(_ other: FloatView, _ count: Int, _ workers: Workers) {
        workers.forEachRange(count, by: 1 << 15) { range in
            addVector(pointer + range.lowerBound, other.pointer + range.lowerBound, range.count)
        }
    }

    /// self [count] = other [count].
    package func copy(_ other: FloatView, _ count: Int, _ workers: Workers) {
        workers.forEachRange(count, by: 1 << 15) { range in
            (pointer + range.lowerBound).update(from: other.pointer + range.lowerBound, count: range.count)
        }
    }
}
