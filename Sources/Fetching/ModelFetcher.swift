// Gets a model's files, one after another: those that are there and right stay, then the mirror is looked into, then
// the hub's cache, then the network is asked. A file gets its name only when it is whole and checked.

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
    /// Asked where the mirror has nothing.
    public var hub = ModelHub()
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
    ///
    /// A directory has files of one model and one version: the file `.fetched` in it says which. Another version is
    /// refused, and so are files of which neither that file nor a known hash says what they are.
    public func fetch() throws(FetchError) {
        try fetching { () throws(StreamError) in try Directory.create(directory) }
        let lock = try lockDirectory()
        defer { close(lock) }
        var run = try ModelFetchRun(self)
        if isWanted("config.json") { try run.require("config.json") }
        try fetchTokenizer(&run)
        try fetchWeights(&run)
        try run.finish()
    }

    private func isWanted(_ file: String) -> Bool { files?.contains(file) ?? true }

    /// vocab.json and merges.txt, or tokenizer.json where the model has only that.
    private func fetchTokenizer(_ run: inout ModelFetchRun) throws(FetchError) {
        if let files, files.contains("tokenizer.json") { try run.require("tokenizer.json") }
        guard isWanted("vocab.json") || isWanted("merges.txt") else { return }
        if isWanted("vocab.json"), isWanted("merges.txt"), model.shape == nil, try !run.has("vocab.json") {
            try run.require("tokenizer.json")
            return
        }
        for file in ["vocab.json", "merges.txt"] where isWanted(file) { try run.require(file) }
    }

    /// model.safetensors, or the parts that an index names.
    private func fetchWeights(_ run: inout ModelFetchRun) throws(FetchError) {
        guard isWanted("model.safetensors") else {
            if let files, files.contains("model.safetensors.index.json"), try !fetchParts(&run) {
                run.miss("model.safetensors.index.json")
            }
            return
        }
        if model.isPinned { return try run.require("model.safetensors") }
        if try !run.has("model.safetensors"), try !fetchParts(&run) { run.miss("model.safetensors") }
    }

    /// The index, and the parts that it names; false where there is no index.
    private func fetchParts(_ run: inout ModelFetchRun) throws(FetchError) -> Bool {
        let index = "model.safetensors.index.json"
        guard try run.has(index) else { return false }
        let path = "\(directory)/\(index)"
        let names: [String]
        do {
            names = try WeightFiles.partNames(index: path)
        } catch let error as any DiagnosableError {
            throw .notTheModel(source: path, problem: error.diagnosis.problem)
        } catch {
            throw .notTheModel(source: path, problem: "\(error)")
        }
        for name in names {
            guard name.hasSuffix(".safetensors"), isSafePartName(name) else {
                throw .notTheModel(source: path, problem: "the part '\(name)' isn't a file of this directory")
            }
            try run.require(name)
        }
        return true
    }

    private func readJSON(_ path: String, name: String) throws(FetchError) -> JSONValue {
        let maximum = 64 << 20
        let file: MappedFile
        do throws(StreamError) {
            file = try MappedFile(path: path, maximum: maximum)
        } catch {
            if case .fileTooLarge = error { throw .tooLarge(source: name, maximum: maximum) }
            throw .stream(error)
        }
        let bytes = withExtendedLifetime(file) { Array(file.bytes) }
        do throws(JSONError) {
            return try JSONValue(parsing: bytes, source: name)
        } catch {
            throw .notTheModel(source: name, problem: error.diagnosis.problem)
        }
    }

    /// Whether the file is what the catalogue says, or at least can be that.
    ///
    /// - Parameter hash: its SHA-256, where that is known.
    func check(_ file: String, hash: String?, at path: String, name: String) throws(FetchError) {
        if let size = model.known[file]?.size {
            let found = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
            if found != size { throw .notTheModel(source: name, problem: "\(found) bytes instead of \(size)") }
        }
        if let hash {
            let got = try fetching { () throws(StreamError) in try SHA256.hexadecimal(ofFile: path) }
            if got != hash { throw .wrongHash(source: name, expected: hash, got: got) }
        }
        if file == "config.json" { try checkConfiguration(path, name: name) }
        if file.hasSuffix(".safetensors"), hash == nil { try checkTensors(file, path, name: name) }
    }

    /// The configuration has no pinned hash, but it has to describe this model, or at least a GPT-2.
    private func checkConfiguration(_ path: String, name: String) throws(FetchError) {
        let value = try readJSON(path, name: name)
        guard value["model_type"]?.string == "gpt2" else {
            throw .notTheModel(source: name, problem: "\"model_type\" isn't \"gpt2\"")
        }
        guard let shape = model.shape else { return }
        for (key, expected) in [("n_layer", shape.layers), ("n_head", shape.heads), ("n_embd", shape.width)]
        where value[key]?.int != expected {
            throw .notTheModel(source: name, problem: "\"\(key)\" isn't \(expected), as \(model.name) has it")
        }
    }

    /// Whether a file is the whole configuration of another model than this one.
    func isOtherConfiguration(_ path: String) -> Bool {
        guard Path.isRegularFile(path), let value = try? readJSON(path, name: path), value["model_type"] != nil else {
            return false
        }
        do throws(FetchError) {
            try checkConfiguration(path, name: path)
            return false
        } catch {
            return true
        }
    }

    /// Weights without a known hash: at least a header that is sound, fits the file, and has this model's blocks.
    private func checkTensors(_ file: String, _ path: String, name: String) throws(FetchError) {
        let mapped = try fetching { () throws(StreamError) in try MappedFile(path: path) }
        let header: SafetensorsHeader
        do throws(SafetensorsError) {
            header = try withExtendedLifetime(mapped) { () throws(SafetensorsError) in
                try SafetensorsHeader(mapped.bytes, source: name)
            }
        } catch {
            throw .notTheModel(source: name, problem: "not a safetensors file: \(error.problem)")
        }
        guard let shape = model.shape else { return }
        let blocks = Set(header.tensors.compactMap { GPT2TensorName.block(of: $0.name) })
        // A part has some of them.
        let isWhole = file == "model.safetensors"
        guard blocks.allSatisfy({ (0..<shape.layers).contains($0) }), !isWhole || blocks.count == shape.layers else {
            throw .notTheModel(
                source: name, problem: "\(blocks.count) blocks instead of the \(shape.layers) of \(model.name)")
        }
    }

    /// Two runs must not write the same directory.
    private func lockDirectory() throws(FetchError) -> Int32 {
        let descriptor = open(directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .stream(.cannotCreate(path: directory, errno: errno)) }
        // A file system without locks (ENOTSUP, ENOLCK) is written to all the same, as by OutputLock.
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            close(descriptor)
            throw .locked(path: directory)
        }
        return descriptor
    }
}
