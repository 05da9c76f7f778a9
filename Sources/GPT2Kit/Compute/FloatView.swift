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

/// One allocation, cut into regions; allocating again gives the former back.
package struct Workspace {
    private var buffer: FloatBuffer?

    package init() {}

    package mutating func allocate(_ counts: [Int]) throws(OutOfMemory) -> [FloatView] {
        // Regions begin at cache lines, and not a multiple of 4 KiB apart.
        let sizes = counts.map { ($0 + 31) / 16 * 16 }
        buffer = nil
        let buffer = try FloatBuffer(count: sizes.reduce(0, +))
        self.buffer = buffer
        var start = 0
        return sizes.map { size in
            defer { start += size }
            return FloatView(buffer.pointer + start)
        }
    }
}
