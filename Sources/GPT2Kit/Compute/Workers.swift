// How work is spread over the cores.
//
// Work is cut into tiles, which are the same for any number of threads, and no tile writes what another one writes.
// That makes every result of this module independent of the number of threads, to the last bit.

import COneDNN
import Dispatch
import Platform
import Synchronization

/// The threads that share the work, one for each core to use. Each runs oneDNN by itself.
public struct Workers: Sendable {
    /// How many tiles run at a time.
    public let count: Int

    /// The cores that the system has; at least 1.
    public static var cores: Int { Platform.cores }

    /// Workers that run `count` tiles at a time, at least one.
    public init(count: Int) {
        self.count = max(1, count)
    }

    /// Runs `body(tile)` once for every tile in `0..<tiles`, in no given order, and returns when all are done.
    package func forEach(_ tiles: Int, _ body: @Sendable (_ tile: Int) -> Void) {
        forEach(tiles) { tile, _ in body(tile) }
    }

    /// The same with the worker's number, `0..<count`. A worker runs one tile at a time, so it can have scratch memory
    /// of its own.
    package func forEach(_ tiles: Int, _ body: @Sendable (_ tile: Int, _ worker: Int) -> Void) {
        let workers = min(count, tiles)
        if workers <= 1 {
            onednn_use_one_thread()
            for tile in 0..<max(tiles, 0) { body(tile, 0) }
            return
        }
        let next = Atomic<Int>(0)
        withoutActuallyEscaping(body) { body in
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                onednn_use_one_thread()
                while true {
                    let tile = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    if tile >= tiles { return }
                    body(tile, worker)
                }
            }
        }
    }

    /// Runs `body` on `0..<count` cut into ranges of `size` (the last one shorter).
    package func forEachRange(_ count: Int, by size: Int, _ body: @Sendable (Range<Int>) -> Void) {
        forEach((count + size - 1) / size) { tile in
            body(tile * size..<min(count, (tile + 1) * size))
        }
    }
}

/// The first error that a tile throws, kept until all tiles are done.
package final class FirstFailure: Sendable {
    private let error = Mutex<(any Error)?>(nil)

    package init() {}

    /// Runs `body`, and keeps the error that it throws if it is the first one.
    package func catching(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            self.error.withLock { $0 = $0 ?? error }
        }
    }

    /// Throws the error that was kept, if any. To be called when all tiles are done.
    package func rethrow() throws {
        if let error = error.withLock({ $0 }) { throw error }
    }
}
