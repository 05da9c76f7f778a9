// Gets a model's files, one after another: those that are there and right stay, then the mirror is looked into, then
// the network is asked. A file gets its name only when it is whole and checked.

import Foundation
import Hashing
import Records
import Safetensors

/// Fetches the files of a model into a directory.
public struct ModelFetcher: Sendable {
    /// What is fetched.
    public var model: CatalogueModel
    /// Where its files are put; it is made where it is missing.
    public var directory: String
    /// Looked into first: MIRROR/NAME/FILE.
    public var mirror: String?
    /// Names of the files to get; nil: all of them.
    public var files: [String]?
    /// For every file a downloader, which knows how to show its progress.
    public var downloader: @Sendable (_ file: String) -> Downloader = { _ in Downloader(maximumBytes: 16 << 30) }
    /// Told what happens to each file.
    public var note: @Sendable (String) -> Void = { _ in }

    /// Fetches all files of `model` from the network alone, unless told otherwise.
    public init(_ model: CatalogueModel, into directory: String) {
        self.model = model
        self.directory = directory
    }

    /// Gets what isn't there yet.
    public func fetch() throws(FetchError) {
        try fetching { () throws(StreamError) in try Directory.create(directory) }
        let lock = try lockDirectory()
        defer { close(lock) }
        var missing: [String] = []
        var reason = ""
        for file in model.files where files?.contains(file.name) ?? true {
            do throws(FetchError) {
                try fetch(file)
            } catch {
                // A network that isn't there leaves a file out; everything else is a reason to stop at once.
                switch error {
                case .unreachable(_, let why): reason = why
                case .httpStatus(_, let status): reason = "the server answered \(status)"
                default: throw error
                }
                missing.append(file.name)
            }
        }
        if !missing.isEmpty {
            throw .missingFiles(model: model.name, files: missing, mirror: mirror, reason: reason)
        }
    }

    private func fetch(_ file: ModelFile) throws(FetchError) {
        let path = "\(directory)/\(file.name)"
        if isRegularFile(path), (try? check(file, at: path, name: path)) != nil {
            return note("\(file.name): already there")
        }
        if let mirror, let mirrored = firstRegularFile(in: "\(mirror)/\(model.name)", named: [file.name]) {
            try check(file, at: mirrored, name: mirrored)
            let source = try fetching { () throws(StreamError) in try ByteSource(path: mirrored) }
            try source.copy(toFile: path, maximum: .max)
            return note("\(file.name): copied from \(mirrored)")
        }
        let address = model.address(of: file.name)
        let incoming = "\(directory)/.\(file.name)"
        try downloader(file.name).download(address, to: incoming)
        do throws(FetchError) {
            try check(file, at: incoming, name: address)
        } catch {
            unlink(incoming)
            throw error
        }
        guard rename(incoming, path) == 0 else { throw .stream(.cannotPublish(path: path, errno: errno)) }
        let pinned = file.hash == nil ? " (no hash is known to check it against)" : ""
        note("\(file.name): downloaded\(pinned)")
    }

    /// Whether the file is what the catalogue says, or at least can be that.
    private func check(_ file: ModelFile, at path: String, name: String) throws(FetchError) {
        if let size = file.size {
            let found = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
            if found != size { throw .notTheModel(source: name, problem: "\(found) bytes instead of \(size)") }
        }
        if let expected = file.hash {
            let got = try fetching { () throws(StreamError) in try SHA256.hexadecimal(ofFile: path) }
            if got != expected { throw .wrongHash(source: name, expected: expected, got: got) }
        }
        if file.name == "config.json" { try checkConfiguration(path, name: name) }
        if file.name.hasSuffix(".safetensors"), file.hash == nil { try checkTensors(path, name: name) }
    }

    /// The configuration has no pinned hash, but it has to describe this model.
    private func checkConfiguration(_ path: String, name: String) throws(FetchError) {
        let bytes = try fetching { () throws(StreamError) in try ByteSource(path: path).readAll(maximum: 1 << 20) }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes, source: name)
        } catch {
            throw .notTheModel(source: name, problem: error.diagnosis.problem)
        }
        guard value["model_type"]?.string == "gpt2" else {
            throw .notTheModel(source: name, problem: "\"model_type\" isn't \"gpt2\"")
        }
        for (key, expected) in [("n_layer", model.layers), ("n_head", model.heads), ("n_embd", model.width)]
        where value[key]?.int != expected {
            throw .notTheModel(source: name, problem: "\"\(key)\" isn't \(expected), as \(model.name) has it")
        }
    }

    /// Weights without a pinned hash: at least a header that is sound, and fits the file.
    private func checkTensors(_ path: String, name: String) throws(FetchError) {
        let file = try fetching { () throws(StreamError) in try MappedFile(path: path) }
        do throws(SafetensorsError) {
            _ = try withExtendedLifetime(file) { () throws(SafetensorsError) in
                try SafetensorsHeader(file.bytes, source: name)
            }
        } catch {
            throw .notTheModel(source: name, problem: "not a safetensors file: \(error.problem)")
        }
    }

    /// Two runs must not write the same directory.
    private func lockDirectory() throws(FetchError) -> Int32 {
        let descriptor = open(directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .stream(.cannotCreate(path: directory, errno: errno)) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            close(descriptor)
            throw .locked(path: directory)
        }
        return descriptor
    }
}
