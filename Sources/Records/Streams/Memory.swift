// Whether there is memory, before it is needed. Swift's arrays end the process where the system gives them none, so
// whoever is going to hold much of an input asks first, and tells the user instead.

import Platform

/// What the system has left of it.
package enum Memory {
    /// Whether the system would give `bytes` more now: it is asked for them, and gets them back untouched.
    package static func isAvailable(_ bytes: Int) -> Bool {
        guard bytes > 0 else { return true }
        guard let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0), start != MAP_FAILED
        else { return false }
        munmap(start, bytes)
        return true
    }

    /// `bytes` as a message has it: in MiB, or in KiB where those are few.
    package static func text(_ bytes: Int) -> String {
        bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(max(1, bytes >> 10)) KiB"
    }

    /// What to do where the system gives no more.
    static let remedy = "free memory, or raise the limit (ulimit -v)"
}
