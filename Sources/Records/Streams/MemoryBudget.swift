// How much memory there is.

import Platform

/// Bytes of memory that this process may use at most, and those that are free for it now.
package struct MemoryBudget {
    /// The tightest of the limits of the machine, of the control group and of `ulimit -v`.
    package let limit: Int
    /// What is left of ``limit``, and not in use by other processes.
    package let left: Int

    /// The budget now.
    package init() {
        let (pages, pageSize) = (sysconf(Int32(_SC_PHYS_PAGES)), Int(sysconf(Int32(_SC_PAGESIZE))))
        var limit = pages > 0 && pageSize > 0 ? pages * pageSize : Int.max
        if let bytes = Int(Self.text("/sys/fs/cgroup/memory.max").filter(\.isNumber)) { limit = min(limit, bytes) }
        // Pages of address space, and those that are in memory.
        let used = Self.text("/proc/self/statm").split(separator: " ").prefix(2).map { (Int($0) ?? 0) * pageSize }
        var left = max(0, limit - (used.last ?? 0))
        if let bytes = Self.available(in: Self.text("/proc/meminfo")) { left = min(left, bytes) }
        if let bytes = Platform.addressSpaceLimit {
            limit = min(limit, bytes)
            left = min(left, max(0, bytes - (used.first ?? 0)))
        }
        (self.limit, self.left) = (limit, left)
    }

    /// The bytes that `/proc/meminfo` says can be had without swapping; nil where it doesn't say.
    package static func available(in meminfo: String) -> Int? {
        meminfo.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
            .flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 }
    }

    /// A small file of the system; empty where it isn't there.
    private static func text(_ path: String) -> String {
        String(decoding: (try? ByteSource(path: path).readAll(maximum: 1 << 16)) ?? [], as: UTF8.self)
    }
}
