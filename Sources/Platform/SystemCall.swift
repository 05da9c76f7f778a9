// The system calls whose names Swift methods like to have too, under names of their own.

/// System calls, each with its C library's return value and `errno`. Files that are opened are closed by `exec`.
package enum SystemCall {
    /// `open(2)`.
    package static func openFile(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
        open(path, flags | O_CLOEXEC, mode)
    }

    /// A descriptor of a new file, for writing; fails where there is one of that name.
    package static func createFile(_ path: String) -> Int32 {
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    }

    /// `read(2)`: the bytes read, 0 at the end, −1 for an error.
    package static func readBytes(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        read(descriptor, buffer.baseAddress, buffer.count)
    }

    /// `write(2)`: the bytes written, perhaps fewer than there are, −1 for an error.
    package static func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        write(descriptor, bytes.baseAddress, bytes.count)
    }

    /// `close(2)`.
    package static func closeFile(_ descriptor: Int32) -> Int32 { close(descriptor) }

    /// `rename(2)`.
    package static func renameFile(_ old: String, _ new: String) -> Int32 { rename(old, new) }

    /// Gives two directories each other's name, in one step. Fails where the system or the file system can't.
    package static func exchangeNames(_ one: String, _ other: String) -> Int32 {
        #if canImport(Darwin)
            return renamex_np(one, other, UInt32(RENAME_SWAP))
        #else
            // Swift's view of the C library doesn't have it, because it is an extension, and old libraries don't either.
            typealias Function =
                @convention(c) (
                    Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
                ) -> Int32
            guard let symbol = dlsym(nil, "renameat2") else { return -1 }
            let exchange: UInt32 = 2
            return unsafeBitCast(symbol, to: Function.self)(AT_FDCWD, one, AT_FDCWD, other, exchange)
        #endif
    }
}
