import Records

/// What `body` writes to a sink.
package func written(_ body: (ByteSink) throws -> Void) throws -> [UInt8] {
    let folder = try Folder()
    let file = try AtomicFile(path: folder.path + "/out")
    try body(file.sink)
    try file.commit()
    return Array(try folder.read("out"))
}

/// The lines of what `body` writes to a sink.
package func writtenLines(_ body: (ByteSink) throws -> Void) throws -> [String] {
    String(decoding: try written(body), as: UTF8.self).split(separator: "\n").map(String.init)
}
