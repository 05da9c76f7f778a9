// One run of a model's fetcher: what has come, what is missing, and which commit the files belong to.

import Foundation
import Records

/// Gets files by name and remembers those that can't be had.
struct ModelFetchRun {
    private let fetcher: ModelFetcher
    /// What the directory's files are known to be.
    private var fetched: FetchedFiles?
    /// The commit of the files that are there, or of the first one that the cache or the hub had: the others are taken
    /// from the same one.
    private var revision: String
    private var missing: [String] = []
    private var reason = ""

    /// Refuses a directory with files of another model or another version.
    init(_ fetcher: ModelFetcher) throws(FetchError) {
        self.fetcher = fetcher
        let fetched = FetchedFiles(directory: fetcher.directory)
        self.fetched = fetched
        revision = fetched?.commit ?? fetcher.model.revision
        if let fetched, !fetched.areOf(fetcher.model) { throw otherModel }
    }

    private var otherModel: FetchError { .otherModel(directory: fetcher.directory, model: fetcher.model.name) }

    /// Gets a file that the model has to have.
    mutating func require(_ file: String) throws(FetchError) {
        if try !has(file) { miss(file) }
    }

    /// Remembers a file that can't be had.
    mutating func miss(_ file: String) { missing.append(file) }

    /// Tells of all that can't be had.
    func finish() throws(FetchError) {
        guard !missing.isEmpty else { return }
        throw .missingFiles(
            model: fetcher.model.name, files: missing, mirror: fetcher.mirror,
            reason: reason.isEmpty ? "the server answered 404" : reason)
    }

    /// Gets a file; false where there is none, or nobody to ask.
    mutating func has(_ file: String) throws(FetchError) -> Bool {
        let path = "\(fetcher.directory)/\(file)"
        let hash = fetcher.model.known[file]?.hash
        if file == "config.json", fetcher.isOtherConfiguration(path) { throw otherModel }
        let isThere = isThere(file, path, hash)
        if isThere, hash == nil, !isKnown(file) {
            throw .unknownVersion(directory: fetcher.directory, file: file, model: fetcher.model.name)
        }
        if isThere, !tellsModel(file) {
            fetcher.note("\(file): already there")
            return true
        }
        if let mirror = fetcher.mirror,
            let mirrored = firstRegularFile(in: "\(mirror)/\(fetcher.model.name)", named: [file])
        {
            try copy(file, from: mirrored, hash, commit: nil)
            return true
        }
        // What tells the model tells, too, whether a branch has moved since.
        let asked = tellsModel(file) ? fetcher.model.revision : revision
        if let cached = fetcher.hub.cached(repository: fetcher.model.repository, revision: asked, file: file) {
            try copy(file, from: cached.path, hash, commit: cached.commit)
            return true
        }
        guard !fetcher.hub.isOffline else {
            reason = "HF_HUB_OFFLINE is set, and the cache doesn't have it"
            return isThere
        }
        return try download(file, of: asked, to: path, hash) || isThere
    }

    /// Whether the file is the configuration of a model of which nothing else is known: then it is fetched again, and has to be
    /// the same as before. Otherwise the files that are there may be another model's.
    private func tellsModel(_ file: String) -> Bool { file == "config.json" && fetcher.model.shape == nil }

    /// Refuses a directory with another model.
    private func compare(_ file: String, with incoming: String) throws(FetchError) {
        let path = "\(fetcher.directory)/\(file)"
        guard tellsModel(file), Path.isRegularFile(path),
            !FileManager.default.contentsEqual(atPath: path, andPath: incoming)
        else { return }
        throw otherModel
    }

    /// Whether a sound file without a known hash can be taken for the model's. A configuration is compared with it
    /// anyway, and a pinned model has hashes for all that matters.
    private func isKnown(_ file: String) -> Bool {
        fetcher.model.isPinned || file == "config.json" || fetched?.names.contains(file) ?? false
    }

    /// Checks what is about to get its name in the directory, and writes down what it is: before it has the name, so
    /// that a killed run leaves no file of which nothing is known.
    ///
    /// - Parameter commit: the one that it is of, where that is known.
    private mutating func admit(
        _ file: String, at source: String, name: String, _ hash: String?, commit: String?
    ) throws(FetchError) {
        try fetcher.check(file, hash: hash, at: source, name: name)
        try compare(file, with: source)
        if let commit {
            if let known = fetched?.commit, known != commit { throw otherModel }
            revision = commit
        }
        if fetcher.model.isPinned { return }
        var now = fetched ?? FetchedFiles(of: fetcher.model)
        now.commit = now.commit ?? commit
        if !now.names.contains(file) { now.names.append(file) }
        if now == fetched { return }
        try now.write(to: fetcher.directory)
        fetched = now
    }

    /// Whether a right file is there.
    private func isThere(_ file: String, _ path: String, _ hash: String?) -> Bool {
        guard Path.isRegularFile(path) else { return false }
        do throws(FetchError) {
            try fetcher.check(file, hash: hash, at: path, name: path)
            return true
        } catch {
            return false
        }
    }

    private mutating func copy(
        _ file: String, from source: String, _ hash: String?, commit: String?
    ) throws(FetchError) {
        try admit(file, at: source, name: source, hash, commit: commit)
        let bytes = try fetching { () throws(StreamError) in try ByteSource(path: source) }
        try bytes.copy(toFile: "\(fetcher.directory)/\(file)", maximum: .max)
        fetcher.note("\(file): copied from \(source)")
    }

    private mutating func download(
        _ file: String, of asked: String, to path: String, _ hash: String?
    ) throws(FetchError) -> Bool {
        let address = fetcher.hub.address(repository: fetcher.model.repository, revision: asked, file: file)
        let incoming = "\(fetcher.directory)/.\(file)"
        var downloader = fetcher.downloader(file)
        downloader.token = fetcher.hub.token
        let answer: DownloadAnswer
        do throws(FetchError) {
            answer = try downloader.download(address, to: incoming)
        } catch {
            // A network that isn't there, or a file, leaves that out; everything else is a reason to stop at once.
            switch error {
            case .unreachable(_, let why): reason = why
            case .httpStatus(_, let status):
                reason = "the server answered \(status)"
                if status == 401 || status == 403 { reason += "; \(fetcher.hub.tokenAdvice)" }
            default: throw error
            }
            return false
        }
        let hash = hash ?? answer.linkedSHA256
        do throws(FetchError) {
            try admit(file, at: incoming, name: address, hash, commit: answer.commit)
        } catch {
            unlink(incoming)
            throw error
        }
        guard rename(incoming, path) == 0 else { throw .stream(.cannotPublish(path: path, errno: errno)) }
        fetcher.note("\(file): downloaded\(hash == nil ? " (no hash is known to check it against)" : "")")
        return true
    }
}
