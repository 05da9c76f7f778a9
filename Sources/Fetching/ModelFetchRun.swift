// One run of a model's fetcher: what has come, what is missing, and which commit the files belong to.

import Foundation
import Records

/// Gets files by name and remembers those that can't be had.
struct ModelFetchRun {
    private let fetcher: ModelFetcher
    /// The commit of the first file that the cache or the hub had: the others are taken from the same one.
    private var revision: String
    private var missing: [String] = []
    private var reason = ""

    init(_ fetcher: ModelFetcher) {
        self.fetcher = fetcher
        revision = fetcher.model.revision
    }

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
        if file == "config.json", fetcher.isOtherConfiguration(path) {
            throw .otherModel(directory: fetcher.directory, model: fetcher.model.name)
        }
        let isThere = isThere(file, path, hash)
        if isThere, !tellsModel(file) {
            fetcher.note("\(file): already there")
            return true
        }
        if let mirror = fetcher.mirror,
            let mirrored = firstRegularFile(in: "\(mirror)/\(fetcher.model.name)", named: [file])
        {
            try copy(file, from: mirrored, hash)
            return true
        }
        if let cached = fetcher.hub.cached(repository: fetcher.model.repository, revision: revision, file: file) {
            try copy(file, from: cached.path, hash)
            revision = cached.commit
            return true
        }
        guard !fetcher.hub.isOffline else {
            reason = "HF_HUB_OFFLINE is set, and the cache doesn't have it"
            return isThere
        }
        return try download(file, to: path, hash) || isThere
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
        throw .otherModel(directory: fetcher.directory, model: fetcher.model.name)
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

    private func copy(_ file: String, from source: String, _ hash: String?) throws(FetchError) {
        try fetcher.check(file, hash: hash, at: source, name: source)
        try compare(file, with: source)
        let bytes = try fetching { () throws(StreamError) in try ByteSource(path: source) }
        try bytes.copy(toFile: "\(fetcher.directory)/\(file)", maximum: .max)
        fetcher.note("\(file): copied from \(source)")
    }

    private mutating func download(_ file: String, to path: String, _ hash: String?) throws(FetchError) -> Bool {
        let address = fetcher.hub.address(repository: fetcher.model.repository, revision: revision, file: file)
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
                if status == 401 || status == 403 {
                    reason += fetcher.hub.token == nil ? "; HF_TOKEN isn't set" : "; does HF_TOKEN allow it?"
                }
            default: throw error
            }
            return false
        }
        if let commit = answer.commit { revision = commit }
        let hash = hash ?? answer.linkedSHA256
        do throws(FetchError) {
            try fetcher.check(file, hash: hash, at: incoming, name: address)
            try compare(file, with: incoming)
        } catch {
            unlink(incoming)
            throw error
        }
        guard rename(incoming, path) == 0 else { throw .stream(.cannotPublish(path: path, errno: errno)) }
        fetcher.note("\(file): downloaded\(hash == nil ? " (no hash is known to check it against)" : "")")
        return true
    }
}
