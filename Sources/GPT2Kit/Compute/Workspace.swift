// Working memory, cut into views with names.

/// One allocation, cut into views.
package final class Workspace {
    private var buffer: FloatBuffer?

    package init() {}

    /// Frees the former memory, and allocates new memory.
    ///
    /// - Parameter plan: takes every view with the count of its numbers. It is called twice: the first time to learn
    ///   the counts, with views that mustn't be read or written.
    package func allocate(_ plan: (_ take: (_ count: Int) -> FloatView) -> Void) throws(OutOfMemory) {
        var size = 0
        plan { count in
            size += Self.padded(count)
            return FloatView()
        }
        buffer = nil
        let buffer = try FloatBuffer(count: size)
        self.buffer = buffer
        var start = 0
        plan { count in
            defer { start += Self.padded(count) }
            return FloatView(buffer.pointer + start)
        }
    }

    /// Views begin at cache lines, at least one of which lies between two: equal views are then seldom a multiple of 4 KiB apart.
    private static func padded(_ count: Int) -> Int { (count + 31) / 16 * 16 }
}
