import Foundation

/// A temporary folder that goes away with this object.
package final class Folder: Sendable {
    package let url = FileManager.default.temporaryDirectory.appending(path: "gpt2-filters-tests-\(UUID().uuidString)")
    package var path: String { url.path }

    package init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }

    package func write(_ name: String, _ text: String) throws { try write(name, Data(text.utf8)) }
    package func write(_ name: String, _ data: Data) throws { try data.write(to: url.appending(path: name)) }
    package func read(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }

    /// What is in it, or in a folder of it, sorted.
    package func names(_ path: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url.appending(path: path).path).sorted()
    }
}
