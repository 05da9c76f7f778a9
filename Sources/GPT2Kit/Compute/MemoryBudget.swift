// How much memory there is.

import Platform
import Records

/// Bytes of memory that this process may use, and those of them that it doesn't use yet.
struct MemoryBudget {
    let limit: Int
    let left: Int

    /// The budget now: the tightest of the limits of the machine, of the control group and of `ulimit -v`.
    init() {
        let (pages, pageSize) = (sysconf(Int32(_SC_PHYS_PAGES)), Int(sysconf(Int32(_SC_PAGESIZE))))
        var limit = pages > 0 && pageSize > 0 ? pages * pageSize : Int.max
        if let group = try? ByteSource(path: "/sys/fs/cgroup/memory.max").readAll(maximum: 100),
            let bytes = Int(String(decoding: group, as: UTF8.self).filter(\.isNumber))
        {
            limit = min(limit, bytes)
        }
        // Pages of address space, and those that are in memory.
        let text = (try? ByteSource(path: "/proc/self/statm").readAll(maximum: 1000)) ?? []
        let used = String(decoding: text, as: UTF8.self).split(separator: " ").prefix(2).map {
            (Int($0) ?? 0) * pageSize
        }
        var left = max(0, limit - (used.last ?? 0))
        if let bytes = Platform.addressSpaceLimit {
            limit = min(limit, bytes)
            left = min(left, max(0, bytes - (used.first ?? 0)))
        }
        (self.limit, self.left) = (limit, left)
    }
}
