// Which files of a model's directory were fetched, and of which version of which model: the file `.fetched` in it.
// Weights don't say that themselves, and two versions may have the same configuration.

import Hashing
import Records

/// What is known of the files in a model's directory.
struct FetchedFiles: Equatable {
    /// The model's place on the hub.
    let repository: String
    /// The commit, tag or branch that was asked for.
    let revision: String
    /// The commit that the files are of; nil where neither the hub nor its cache has said it: a mirror doesn't.
    var commit: String?
    /// Names of files.
    var names: [String]

    private static let fileName = ".fetched"

    /// No files yet.
    init(of model: CatalogueModel) {
        (repository, revision, commit, names) = (model.repository, model.revision, nil, [])
    }

    /// What the directory says; nil where it says nothing, or none of the files is there any more.
    init?(directory: String) {
        guard let file = InputFile.kept("\(directory)/\(Self.fileName)"),
            let value = try? JSONValue(parsing: file.bytes(at: 0, count: 1 << 20)),
            let repository = value["repository"]?.string, let revision = value["revision"]?.string,
            let files = value["files"]?.array
        else { return nil }
        self.repository = repository
        self.revision = revision
        commit = value["commit"]?.string.flatMap { SHA256.isHexadecimal($0, digits: 40) ? $0 : nil }
        names = files.compactMap(\.string).filter { Path.isRegularFile("\(directory)/\($0)") }
        if names.isEmpty { return nil }
    }

    /// Whether these are files of the model, in the version that is wanted.
    func areOf(_ model: CatalogueModel) -> Bool {
        repository == model.repository && (revision == model.revision || commit == model.revision)
    }

    /// Replaces what the directory says.
    func write(to directory: String) throws(FetchError) {
        var writer = JSONWriter()
        writer.beginObject()
        for (key, text) in [("repository", repository), ("revision", revision)] {
            writer.key(key)
            writer.string(text)
        }
        if let commit {
            writer.key("commit")
            writer.string(commit)
        }
        writer.key("files")
        writer.beginArray()
        for name in names { writer.string(name) }
        writer.endArray()
        writer.endObject()
        writer.newline()
        let bytes = writer.bytes
        try fetching { () throws(StreamError) in
            let file = try AtomicFile(path: "\(directory)/\(Self.fileName)")
            try file.sink.write(bytes)
            try file.commit()
        }
    }
}
