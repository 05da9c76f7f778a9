// Which version of the filters this is.

import Platform

/// The version of all filters.
public enum FilterVersion {
    /// The number, after Semantic Versioning.
    public static let number = "0.1.0"

    /// Of an installed filter the commit that it was built from: ` (4897b17)`; empty for others. `make install` writes it into
    /// the file `commit` beside the filters.
    static var commitNote: String {
        guard let path = Platform.executablePath, let slash = path.lastIndex(of: "/"),
            let file = fopen(path[...slash] + "commit", "r")
        else { return "" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, Int32(line.count), file) != nil else { return "" }
        let commit = line.prefix { $0 > 0x20 }.map { UInt8(bitPattern: $0) }
        return commit.isEmpty ? "" : " (\(String(decoding: commit, as: UTF8.self)))"
    }
}
