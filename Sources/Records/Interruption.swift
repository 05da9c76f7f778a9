// Removes unfinished outputs when the process is interrupted (SIGINT, SIGTERM, SIGHUP), and lets the signal do
// its default work then, so that a shell sees 130, 143 or 129.
//
// A signal handler can reach nothing but global memory and may call nothing but a few system calls. So this is the
// one file with global state: a fixed table of C strings that are never freed once they are in it.

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The paths to remove when the process is interrupted.
enum Interruption {
    private static let capacity = 256
    /// Written under `installed`'s lock; read by the signal handler, for which a pointer's store is atomic.
    nonisolated(unsafe) fileprivate static let paths: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = {
        let table = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: capacity)
        table.initialize(repeating: nil, count: capacity)
        return table
    }()
    private static let installed = Mutex(false)

    /// From now on `path`, a file or an empty directory, is removed when the process is interrupted. Of several, the
    /// one that was added last goes first.
    static func add(_ path: String) {
        installed.withLock { isInstalled in
            if let slot = (0..<capacity).first(where: { paths[$0] == nil }) {
                paths[slot] = strdup(path)
            }
            if !isInstalled {
                isInstalled = true
                for number in [SIGINT, SIGTERM, SIGHUP] {
                    let previous = signal(number, removeAndDie)
                    // `nohup` and shells that start background jobs ignore signals on purpose.
                    if unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                        signal(number, SIG_IGN)
                    }
                }
            }
        }
    }

    /// `path` is published or gone: it isn't to be removed any more.
    static func remove(_ path: String) {
        installed.withLock { _ in
            for slot in 0..<capacity {
                if let entry = paths[slot], strcmp(entry, path) == 0 { paths[slot] = nil }
            }
        }
    }

    fileprivate static func removeAll() {
        for slot in stride(from: capacity - 1, through: 0, by: -1) {
            if let path = paths[slot], unlink(path) != 0 { rmdir(path) }
        }
    }
}

private func removeAndDie(_ number: Int32) {
    Interruption.removeAll()
    signal(number, SIG_DFL)
    raise(number)
}
