// The system's C library, under one name on all systems: the only file that imports it. What differs between the systems
// is here too, and SystemCall.swift has the calls that Swift methods share their names with.

#if canImport(Glibc)
    @_exported import Glibc
#elseif canImport(Musl)
    @_exported import Musl
#else
    @_exported import Darwin
#endif

/// What systems do each in their own way.
package enum Platform {
    #if canImport(Darwin)
        /// What `pthread_create` sets.
        package typealias NewThread = pthread_t?
        /// Before `pthread_create` has set it.
        package static var noThread: NewThread { nil }
    #else
        /// What `pthread_create` sets.
        package typealias NewThread = pthread_t
        /// Before `pthread_create` has set it.
        package static var noThread: NewThread { pthread_t() }
    #endif

    /// The bytes of addresses that this process may have (`ulimit -v`); nil where there is no limit.
    package static var addressSpaceLimit: Int? {
        #if canImport(Glibc)
            let kind = __rlimit_resource_t(UInt32(RLIMIT_AS.rawValue))
        #else
            let kind = RLIMIT_AS
        #endif
        var limit = rlimit()
        // No limit is RLIM_INFINITY: 2⁶⁴ − 1 on Linux, 2⁶³ − 1 on Darwin.
        guard getrlimit(kind, &limit) == 0, let bytes = Int(exactly: limit.rlim_cur), bytes < .max else { return nil }
        return bytes
    }

    /// The cores that the system has; at least 1.
    package static var cores: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// The path of the running program, without links; nil where the system doesn't tell it.
    package static var executablePath: String? {
        #if canImport(Darwin)
            var size = UInt32(PATH_MAX)
            var path = [CChar](repeating: 0, count: Int(size))
            guard _NSGetExecutablePath(&path, &size) == 0 else { return nil }
            return String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #else
            var path = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink("/proc/self/exe", &path, path.count)
            return count > 0 ? String(decoding: path.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
        #endif
    }

    /// When a file was last changed.
    package static func lastChange(_ status: stat) -> timespec {
        #if canImport(Darwin)
            return status.st_mtimespec
        #else
            return status.st_mtim
        #endif
    }

    /// Asks for huge pages (2 MiB each on x86-64) from `start` on, where the system has them on request.
    package static func useHugePages(_ start: UnsafeMutableRawPointer, count: Int) {
        #if canImport(Glibc)
            madvise(start, count, MADV_HUGEPAGE)
        #endif
    }

    /// Has the system map the pages from `start` on, to be read or written, at once instead of one after another as they are
    /// met: that takes a fifth of the time. Does nothing where the system can't.
    package static func populate(_ start: UnsafeMutableRawPointer, count: Int, forWriting: Bool) {
        #if os(Linux)
            let page = Int(getpagesize())
            let first = (Int(bitPattern: start) + page - 1) / page * page
            let size = (Int(bitPattern: start) + count - first) / page * page
            // MADV_POPULATE_READ and MADV_POPULATE_WRITE, since Linux 5.14.
            if size > 0, let pages = UnsafeMutableRawPointer(bitPattern: first) {
                madvise(pages, size, forWriting ? 23 : 22)
            }
        #endif
    }

    /// Lets all threads allocate from one arena. glibc reserves 64 MiB of addresses for every thread that allocates: where
    /// addresses are limited, that is taken from those who need it.
    package static func useOneArena() {
        #if canImport(Glibc)
            // Swift's view of glibc doesn't have it.
            typealias Function = @convention(c) (_ parameter: Int32, _ value: Int32) -> Int32
            let arenaMaximum: Int32 = -8
            if let symbol = dlsym(nil, "mallopt") { _ = unsafeBitCast(symbol, to: Function.self)(arenaMaximum, 1) }
        #endif
    }

    /// `handler` as what a signal does, for `sigaction(2)`, without flags.
    package static func action(_ handler: @escaping @convention(c) (Int32) -> Void) -> sigaction {
        var action = sigaction()
        #if canImport(Darwin)
            action.__sigaction_u.__sa_handler = handler
        #elseif canImport(Musl)
            action.__sa_handler.sa_handler = handler
        #else
            action.__sigaction_handler.sa_handler = handler
        #endif
        return action
    }
}
