// What a path says, and where it leads.

import Platform

/// Paths, as the text that users give.
package enum Path {
    /// The directory that holds `path`, `.` for a bare name.
    package static func parent(of path: String) -> String {
        // Bytes, because a slash before a combining character is a slash all the same.
        var name = Array(path.utf8)[...]
        while name.count > 1, name.last == slash { name.removeLast() }
        guard let place = name.lastIndex(of: slash) else { return "." }
        return place == name.startIndex ? "/" : String(decoding: name[..<place], as: UTF8.self)
    }

    private static let slash = UInt8(ascii: "/")

    /// The last part of a path; nil where it has none.
    package static func lastName(of path: String) -> String? {
        path.utf8.split(separator: slash).last.map { String(decoding: Array($0), as: UTF8.self) }
    }

    /// Whether there is a regular file, perhaps behind links.
    package static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// The absolute path without links, `.` and `..`; nil where there is nothing.
    package static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// `path` without symbolic links: all of it where it exists, otherwise the directory that will hold it, where that
    /// exists. A link that leads nowhere is refused.
    ///
    /// - Throws: ``StreamError/notDirectory(path:)`` for such a link.
    static func destination(_ path: String) throws(StreamError) -> String {
        if let resolved = resolved(path) { return resolved }
        var status = stat()
        // Anything else that is here now was made since.
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK { throw .notDirectory(path: path) }
        guard let name = lastName(of: path), let parent = resolved(parent(of: path)) else {
            return path
        }
        return parent == "/" ? "/\(name)" : "\(parent)/\(name)"
    }

    /// Whether the process runs in `directory` (an absolute path without links), or below it.
    static func holdsWorkingDirectory(_ directory: String) -> Bool {
        guard let current = resolved(".") else { return true }
        let working = Array(current.utf8) + [UInt8(ascii: "/")]
        return working.starts(
            with: directory == "/" ? [UInt8(ascii: "/")] : Array(directory.utf8) + [UInt8(ascii: "/")])
    }
}
