// Removes unfinished outputs when the process is interrupted (SIGINT, SIGTERM, SIGHUP), and lets the signal do
// its default work then, so that a shell sees 130, 143 or 129. Tells in words what SIGBUS means.
//
// A signal handler can reach nothing but global memory and may call nothing but a few system calls. So this is the
// one file with global state: a fixed table of C strings that are never freed once they are in it.

import Platform
import Synchronization

/// The paths to remove when the process is interrupted.
public enum Interruption {
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
                install(removeAndDie)
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

    /// From now on the first SIGINT, SIGTERM or SIGHUP is only noted, so that work can be brought to a good end. Another
    /// one that comes more than a second later ends the process at once; before that it is the same one, sent twice
    /// (to the group and by a parent, say).
    public static func hold() {
        // A handler must not be the first to touch them.
        _ = (paths, held.load(ordering: .relaxed), heldSince.load(ordering: .relaxed))
        installed.withLock { isInstalled in
            isInstalled = true
            // A write that waits for a reader ends, so that the signal is noticed.
            install(noteOrDie, restartsCalls: false)
        }
    }

    /// The signal that was noted, if any.
    public static var heldSignal: Int32? {
        let number = held.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Ends ``hold()``: a signal that was noted ends the process now.
    public static func release() {
        installed.withLock { _ in install(removeAndDie) }
        if let heldSignal { removeAndDie(heldSignal) }
    }

    /// Lets `handler` have the signals that end a process.
    private static func install(_ handler: @escaping @convention(c) (Int32) -> Void, restartsCalls: Bool = true) {
        makeSignalStack()
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let previous = signal(number, handler)
            // `nohup` and shells that start background jobs ignore signals on purpose.
            if unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                signal(number, SIG_IGN)
            }
            var action = sigaction()
            sigaction(number, nil, &action)
            action.sa_flags |= SA_ONSTACK
            if !restartsCalls { action.sa_flags &= ~SA_RESTART }
            sigaction(number, &action, nil)
        }
    }

    /// Gives this thread's handlers a stack of their own, unless they have one.
    ///
    /// They need it: oneDNN's generated code lets the stack pointer point into its work space on the heap, and what the
    /// system puts there for a handler would overwrite whatever is beside it.
    static func makeSignalStack() {
        var stack = stack_t()
        guard sigaltstack(nil, &stack) == 0, Int(stack.ss_flags) & Int(SS_DISABLE) != 0 else { return }
        let size = 1 << 16
        stack = stack_t()
        stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        stack.ss_size = .init(size)
        sigaltstack(&stack, nil)
    }

    fileprivate static let held = Atomic<Int32>(0)
    /// When, in nanoseconds of the monotonic clock.
    fileprivate static let heldSince = Atomic<Int>(0)

    /// From now on a mapped file that someone cuts short while it is read ends the process with one line and
    /// ``ExitStatus/ioError`` instead of a core dump (SIGBUS), without leaving unfinished outputs.
    public static func reportLostMappings(tool: String) {
        let diagnosis = Diagnosis(
            source: "mapped file", problem: "cut short, or its disk failed, while it was in use",
            remedy: "restore it, replace files by renaming only, and run again", status: .ioError)
        lostMapping = lastWords(tool, diagnosis)
        _ = paths  // A handler must not be the first to touch it.
        signal(SIGBUS, tellLostMapping)
    }

    /// Set once, before the handler that reads it is installed.
    nonisolated(unsafe) fileprivate static var lostMapping = UnsafeRawBufferPointer(start: nil, count: 0)

    /// A message in memory of its own, for a handler to write.
    static func lastWords(_ tool: String, _ diagnosis: Diagnosis) -> UnsafeRawBufferPointer {
        let text = Array("\(tool): \(diagnosis.message)\n".utf8)
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
        copy.copyBytes(from: text)
        return UnsafeRawBufferPointer(copy)
    }

    /// Writes a message, removes unfinished outputs, and ends the process.
    static func end(_ words: UnsafeRawBufferPointer, _ status: ExitStatus) -> Never {
        _ = SystemCall.writeBytes(2, words)
        removeAll()
        _exit(status.rawValue)
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

private func noteOrDie(_ number: Int32) {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let now = time.tv_sec * 1_000_000_000 + time.tv_nsec
    if Interruption.held.load(ordering: .relaxed) == 0 {
        Interruption.heldSince.store(now, ordering: .relaxed)
        Interruption.held.store(number, ordering: .relaxed)
    } else if now - Interruption.heldSince.load(ordering: .relaxed) > 1_000_000_000 {
        removeAndDie(number)
    }
}

private func tellLostMapping(_ number: Int32) {
    Interruption.end(Interruption.lostMapping, .ioError)
}
