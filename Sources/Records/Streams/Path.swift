// What a path says, and where it leads.

import Platform

/// Paths, as the text that users give.
package enum Path {
    /// The directory that holds `path`, `.` for a bare name.
    package static func parent(of path: String) -> String {
        var name = path[...]
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        guard let slash = name.lastIndex(of: "/") else { return "." }
        return slash == name.startIndex ? "/" : String(name[..<slash])
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
        guard let name = path.split(separator: "/").last, let parent = resolved(parent(of: path)) else {
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
