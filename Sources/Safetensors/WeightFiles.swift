// The weights of a model directory: one model.safetensors, or the parts that model.safetensors.index.json lists.
// Not here: what the tensors are called and shaped (the model knows), prefixes included.

import Platform
import Records

/// Why a model directory's weights can't be read.
public enum WeightFilesError: DiagnosableError, Equatable {
    /// The model directory is missing.
    case noDirectory(path: String)
    /// The directory has neither model.safetensors nor an index.
    case noWeights(directory: String)
    /// Weights in PyTorch's pickle format, which runs code when it is read.
    case pickle(path: String)
    /// The index isn't JSON, or lacks `weight_map`, at this byte.
    case indexMalformed(path: String, at: Int, what: String)
    /// The index names a file outside of the directory.
    case unsafePartName(path: String, name: String)
    /// The index promises a tensor that its part doesn't have.
    case tensorNotInPart(path: String, tensor: String, part: String)

    public var diagnosis: Diagnosis {
        switch self {
        case .noDirectory(let path):
            Diagnosis(source: path, problem: "no such model directory", remedy: "check the path", status: .noInput)
        case .noWeights(let directory):
            Diagnosis(
                source: directory, problem: "there is no model.safetensors", remedy: "fetch the model again",
                status: .noInput)
        case .pickle(let path):
            Diagnosis(
                source: path, problem: "these weights are a pickle",
                remedy: "pickle can run code: convert them to safetensors with a tool that you trust",
                status: .badData)
        case .indexMalformed(let path, let at, let what):
            Diagnosis(
                source: path, position: .byte(at), problem: what, remedy: "fetch the model again", status: .badData)
        case .unsafePartName(let path, let name):
            Diagnosis(
                source: path, problem: "the part '\(name)' isn't a file of this directory",
                remedy: "fetch the model again", status: .badData)
        case .tensorNotInPart(let path, let tensor, let part):
            Diagnosis(
                source: path, problem: "tensor '\(tensor)' is not in \(part)", remedy: "fetch the model again",
                status: .badData)
        }
    }
}

/// All tensors of a model directory, whichever file they are in.
public struct WeightFiles: Sendable {
    /// The file that lists the parts of weights in several files.
    package static let indexName = "model.safetensors.index.json"

    /// The directory as the user gave it.
    public let directory: String
    /// The directory's model.safetensors; nil where the weights are those of an index.
    package let singleFile: SafetensorsFile?
    private let parts: [SafetensorsFile]
    private let partOfTensor: [String: Int]

    /// Opens and checks the weights of `directory`.
    ///
    /// - Throws: ``WeightFilesError``, ``StreamError`` or ``SafetensorsError``.
    public init(directory: String) throws {
        self.directory = directory
        if isPickle(directory) { throw WeightFilesError.pickle(path: directory) }
        let single = "\(directory)/model.safetensors"
        let index = "\(directory)/\(Self.indexName)"
        if access(single, F_OK) == 0 {
            let file = try SafetensorsFile(path: single)
            singleFile = file
            parts = [file]
            partOfTensor = Dictionary(file.names.map { ($0, 0) }) { first, _ in first }
        } else if access(index, F_OK) == 0 {
            singleFile = nil
            (parts, partOfTensor) = try Self.open(index: index, directory: directory)
        } else {
            guard let files = Directory.entryNames(of: directory) else {
                throw WeightFilesError.noDirectory(path: directory)
            }
            if let file = files.sorted().first(where: isPickle) {
                throw WeightFilesError.pickle(path: "\(directory)/\(file)")
            }
            throw WeightFilesError.noWeights(directory: directory)
        }
    }

    /// The tensors of one file; `directory` is what errors call it.
    public init(_ file: SafetensorsFile) {
        directory = file.source
        singleFile = file
        parts = [file]
        partOfTensor = Dictionary(file.names.map { ($0, 0) }) { first, _ in first }
    }

    /// Size and time of the last change of every file, in words; nil where a file is bytes in memory.
    package var stamp: String? {
        let stamps = parts.compactMap(\.stamp)
        return stamps.count == parts.count ? stamps.joined(separator: ", ") : nil
    }

    /// All names, sorted.
    public var names: [String] { partOfTensor.keys.sorted() }

    /// Whether one of the files has a tensor of this name.
    public func contains(_ name: String) -> Bool {
        partOfTensor[name] != nil
    }

    /// Where the tensor is in its file, and what its bytes mean.
    public func description(of name: String) throws(SafetensorsError) -> TensorDescription {
        try file(of: name).description(of: name)
    }

    /// The tensor's bytes as they are in the file. Valid while this value, or a copy of it, lives.
    public func bytes(of name: String) throws(SafetensorsError) -> UnsafeRawBufferPointer {
        try file(of: name).bytes(of: name)
    }

    /// See ``SafetensorsFile/float32(_:shape:)``.
    public func float32(_ name: String, shape: [Int]) throws(SafetensorsError) -> UnsafeBufferPointer<Float>? {
        try file(of: name).float32(name, shape: shape)
    }

    /// See ``SafetensorsFile/floats(_:shape:)``.
    public func floats(_ name: String, shape: [Int]) throws(SafetensorsError) -> [Float] {
        try file(of: name).floats(name, shape: shape)
    }

    /// See ``SafetensorsFile/copyFloats(_:shape:into:)``.
    public func copyFloats(
        _ name: String, shape: [Int], into buffer: UnsafeMutableBufferPointer<Float>
    ) throws(SafetensorsError) {
        try file(of: name).copyFloats(name, shape: shape, into: buffer)
    }

    /// The file that holds the tensor.
    public func file(of name: String) throws(SafetensorsError) -> SafetensorsFile {
        guard let part = partOfTensor[name] else {
            throw SafetensorsError(source: directory, reason: .noTensor(name))
        }
        return parts[part]
    }

    /// The names of the files that an index lists, sorted.
    ///
    /// - Throws: ``StreamError``; ``WeightFilesError/indexMalformed(path:at:what:)``.
    package static func partNames(index path: String) throws -> [String] {
        let file = try MappedFile(path: path)
        return try withExtendedLifetime(file) { Set(try weightMap(file).map(\.1)).sorted() }
    }

    // MARK: - Opening

    private static func open(index: String, directory: String) throws -> ([SafetensorsFile], [String: Int]) {
        let file = try MappedFile(path: index)
        let weightMap = try weightMap(file)
        var parts: [SafetensorsFile] = []
        var partOfName: [String: Int] = [:]
        var partOfTensor: [String: Int] = [:]
        for (tensor, name) in weightMap {
            if partOfName[name] == nil {
                guard isSafePartName(name) else { throw WeightFilesError.unsafePartName(path: index, name: name) }
                let path = "\(directory)/\(name)"
                if isPickle(path) { throw WeightFilesError.pickle(path: path) }
                partOfName[name] = parts.count
                parts.append(try SafetensorsFile(path: path))
            }
            guard let part = partOfName[name], parts[part].contains(tensor) else {
                throw WeightFilesError.tensorNotInPart(path: index, tensor: tensor, part: name)
            }
            partOfTensor[tensor] = part
        }
        return (parts, partOfTensor)
    }

    /// `weight_map` of an index: which tensor is in which file.
    private static func weightMap(_ file: MappedFile) throws(WeightFilesError) -> [(String, String)] {
        var scanner = JSONPullReader(file.bytes)
        do throws(JSONProblem) {
            var entries: [(String, String)]?
            var names: Set<String> = []
            try scanner.expect("{")
            var isFirst = true
            while let key = try scanner.nextName(isFirst: &isFirst) {
                guard key == "weight_map", entries == nil else {
                    try scanner.skipValue()
                    continue
                }
                entries = []
                try scanner.expect("{")
                var isFirst = true
                while let tensor = try scanner.nextName(isFirst: &isFirst) {
                    guard names.insert(tensor).inserted else {
                        throw scanner.problem("'\(tensor)' is there twice")
                    }
                    entries?.append((tensor, try scanner.string()))
                }
            }
            try scanner.expectEnd()
            guard let entries else { throw scanner.problem("there is no weight_map") }
            return entries
        } catch {
            throw .indexMalformed(path: file.name, at: error.at, what: error.what)
        }
    }
}

/// Whether a file is called as PyTorch's pickles are.
package func isPickle(_ path: String) -> Bool {
    [".bin", ".pt", ".pth", ".ckpt", ".pkl"].contains { path.hasSuffix($0) }
}

/// Whether a file of this name lies in the directory that it is looked for in, and is seen there.
package func isSafePartName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.first != UInt8(ascii: ".") && !name.utf8.contains(UInt8(ascii: "/"))
        && !name.utf8.contains(0)
}
