// What no code can catch: memory that runs out where nobody asks for it. Swift's arrays and the C and C++ libraries end the
// process by a signal then. Filters ask for what they need before they begin (Memory.swift); this is for the rest.

import Platform

extension Interruption {
    /// From now on a process that SIGABRT or SIGSEGV would end, while the system has no more memory, ends with one line and
    /// ``ExitStatus/osLimit`` instead, without leaving unfinished outputs. While there is memory, these signals do what they
    /// did before.
    public static func reportLostMemory(tool: String) {
        let diagnosis = Diagnosis(
            source: "memory", problem: "more is needed than the system gives", remedy: Memory.remedy,
            status: .osLimit)
        lostMemory = lastWords(tool, diagnosis)
        makeSignalStack()
        for (index, number) in [SIGABRT, SIGSEGV].enumerated() {
            var action = sigaction()
            sigaction(number, nil, &action)
            previous[index] = action
            action = Platform.action(onCrash)
            action.sa_flags = SA_ONSTACK
            sigaction(number, &action, nil)
        }
    }

    /// Ends the process because a library could not get memory.
    package static func endWithoutMemory() -> Never {
        if !lostMemory.isEmpty { end(lostMemory, .osLimit) }
        fatalError("out of memory")
    }

    /// Set once, before the handler that reads it is installed.
    nonisolated(unsafe) fileprivate static var lostMemory = UnsafeRawBufferPointer(start: nil, count: 0)
    /// What SIGABRT and SIGSEGV did before.
    nonisolated(unsafe) fileprivate static let previous: UnsafeMutablePointer<sigaction> = {
        let actions = UnsafeMutablePointer<sigaction>.allocate(capacity: 2)
        actions.initialize(repeating: sigaction(), count: 2)
        return actions
    }()
}

/// If this much memory is still free, a crash has another cause.
private let leastMemory = 4 << 20
/// The same of SIGABRT. Swift ends a process by it where an array finds no memory, which may have been much, and hardly ever otherwise.
private let largeMemory = 256 << 20

private func onCrash(_ number: Int32) {
    if !Memory.isAvailable(number == SIGABRT ? largeMemory : leastMemory) {
        Interruption.end(Interruption.lostMemory, .osLimit)
    }
    // The signal comes again: by itself, when the instruction is tried again, or sent.
    sigaction(number, Interruption.previous + (number == SIGABRT ? 0 : 1), nil)
    if number == SIGABRT { raise(number) }
}
