// Memory for numbers. The mathematics of this module runs on plain pointers into these buffers and into mapped files.

import Platform
import Records

/// The system has no more memory.
public typealias OutOfMemory = Records.OutOfMemory

extension OutOfMemory {
    /// - Parameter bytes: the size of the numbers that were to be allocated.
    package init(bytes: Int) {
        self.init(
            bytes: bytes, problem: "another \(Memory.text(bytes)) are needed, more than the system gives",
            remedy: "use a smaller model, batch or length, or a machine with more memory")
    }
}

/// Float32 memory, zeroed, aligned to 64 bytes: a cache line, and the widest vector register.
///
/// Sendable without a lock: whoever hands a buffer to several threads gives each its own part to write.
public final class FloatBuffer: @unchecked Sendable {
    /// How many numbers the buffer has.
    public let count: Int
    /// The first number. Valid as long as the buffer lives.
    public let pointer: UnsafeMutablePointer<Float>
    /// The mapping of a large buffer; nil where the memory came from `posix_memalign`.
    private let mapping: UnsafeMutableRawBufferPointer?

    /// A buffer of `count` zeros.
    ///
    /// - Throws: ``OutOfMemory`` where the system doesn't have enough left.
    public init(count: Int) throws(OutOfMemory) {
        let (bytes, overflow) = max(count, 16).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        guard !overflow else { throw OutOfMemory(bytes: .max) }
        // Threads, kernels and Swift's own arrays can't report that they got no memory: some is left for them.
        if bytes >= 1 << 20, bytes > .max - Self.reserve || !Memory.isAvailable(bytes + Self.reserve) {
            throw OutOfMemory(bytes: bytes)
        }
        var memory: UnsafeMutableRawPointer?
        if bytes >= 2 * Self.hugePage {
            guard let mapping = Self.map(bytes) else { throw OutOfMemory(bytes: bytes) }
            self.mapping = mapping
            memory = mapping.baseAddress
        } else {
            mapping = nil
            if posix_memalign(&memory, 64, bytes) == 0 {
                memory.map {
                    if bytes >= 1 << 16 { Platform.populate($0, count: bytes, forWriting: true) }
                    memset($0, 0, bytes)
                }
            }
        }
        guard let memory else { throw OutOfMemory(bytes: bytes) }
        self.count = count
        pointer = memory.bindMemory(to: Float.self, capacity: count)
    }

    deinit {
        if let mapping { munmap(mapping.baseAddress, mapping.count) } else { free(pointer) }
    }

    /// All numbers, to be read and written.
    package var values: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

    private static let hugePage = 2 << 20
    private static let reserve = 16 << 20

    /// A large mapping, which the system zeroes page by page at first use. Pages of 2 MiB, where the system has them,
    /// make that cheaper (measured: 0.1 s instead of 0.3 s for the weights of GPT-2 124M), and matrix products look up
    /// fewer addresses (5 % of their time). The rest behind the last whole page of 2 MiB stays in small pages.
    private static func map(_ bytes: Int) -> UnsafeMutableRawBufferPointer? {
        guard bytes < .max - 2 * hugePage else { return nil }
        let page = 1 << 16  // a multiple of the page of any system
        let size = (bytes + page - 1) / page * page
        let reserved = size + hugePage
        let flags = MAP_PRIVATE | MAP_ANON
        guard let start = mmap(nil, reserved, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED
        else { return nil }
        // Huge pages begin at multiples of their size; the rest around them is unmapped.
        let skipped = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
        if skipped > 0 { munmap(start, skipped) }
        if hugePage > skipped { munmap(start + skipped + size, hugePage - skipped) }
        Platform.useHugePages(start + skipped, count: size)
        return UnsafeMutableRawBufferPointer(start: start + skipped, count: size)
    }
}
