// Whether the weights of a model directory are the ones that were written: a flipped bit changes scores and shows
// nowhere else. A thread of its own hashes them while they are being used. That takes 0.3 s for 124M parameters, longer
// than loading them and scoring a text, so the check of a large file begins only on request. ScoreStream and Classifier
// decide when.

import Dispatch
import Hashing
import Platform
import Safetensors
import Synchronization

/// Compares a model.safetensors with the checksum that config.json names, and a prepacked copy of it with its own.
public final class WeightsCheck: Sendable {
    private let work: Work
    private let isBegun = Atomic(false)

    /// A file below this size is hashed in the time that it takes to start a process.
    private static let smallBytes = 64 << 20

    /// Whether config.json names a checksum of the weights.
    public let coversWeights: Bool

    /// The check of `weights`; nil where config.json names no checksum, and there is no prepacked copy. It begins at once where the file is small, and wasn't
    /// checked already when its prepacked copy was written.
    ///
    /// - Parameters:
    ///   - expected: the file's SHA-256 in lower-case hexadecimal.
    ///   - copy: the prepacked copy.
    /// - Throws: ``ModelError/weightsInParts(file:)``.
    init?(_ weights: WeightFiles, expected: String?, _ copy: PrepackedCopy? = nil) throws(ModelError) {
        var parts: [Work.Part] = []
        coversWeights = expected != nil
        if let expected {
            guard let file = weights.singleFile else { throw .weightsInParts(file: weights.directory) }
            parts = [
                Work.Part(bytes: file.fileBytes, expected: expected) { .otherWeights(file: file.source) }
            ]
        }
        if let copy, let content = copy.content {
            parts.append(
                Work.Part(bytes: content.bytes, expected: content.sha256) {
                    .damagedCopy(file: copy.path, isRemoved: copy.remove())
                })
        }
        if parts.isEmpty { return nil }
        work = Work(parts, owners: (weights, copy))
        if parts[0].bytes.count < Self.smallBytes, copy?.isThere != true { begin() }
    }

    deinit {
        // Nobody waits for the outcome any more.
        if isBegun.load(ordering: .relaxed) { work.end() } else { work.done.leave() }
    }

    /// Begins to hash the file, unless that has begun.
    public func begin() {
        if !isBegun.exchange(true, ordering: .relaxed) { work.begin() }
    }

    /// Begins, and waits for the outcome.
    ///
    /// - Throws: ``ModelError/otherWeights(file:)``, ``ModelError/damagedCopy(file:isRemoved:)`` where they don't have the checksum.
    public func wait() throws(ModelError) {
        begin()
        try work.outcome()
    }

    /// Waits as ``wait()`` does, where the check has begun.
    package func waitIfBegun() throws(ModelError) {
        if isBegun.load(ordering: .relaxed) { try work.outcome() }
    }
}

/// What the thread reads and writes.
///
/// `@unchecked Sendable`: hashes belong to the thread until `done`, and are only read from then on.
private final class Work: @unchecked Sendable {
    /// Bytes, the checksum that they should have, and what it means if they haven't.
    struct Part {
        let bytes: UnsafeRawBufferPointer
        let expected: String
        let failure: () -> ModelError
    }

    /// Entered until all is hashed.
    let done = DispatchGroup()
    private let parts: [Part]
    /// One for each part. Created and finished on other threads: a thread that never allocates needs no heap of its own.
    private var hashes: [SHA256] = []
    /// What keeps the bytes mapped.
    private let owners: (WeightFiles, PrepackedCopy?)
    private let isUnwanted = Atomic(false)

    /// Bytes that are hashed at a time: few enough for the thread to notice soon that it can end.
    private static let pieceBytes = 1 << 20
    private static let stackBytes = 1 << 18

    init(_ parts: [Part], owners: (WeightFiles, PrepackedCopy?)) {
        self.parts = parts
        self.owners = owners
        done.enter()
    }

    func begin() {
        hashes = parts.map { _ in SHA256() }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        var thread = Platform.noThread
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                Work.retained(argument)?.run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard status != 0 else { return }
        // Where no thread can be created, this one hashes.
        Unmanaged.passUnretained(self).release()
        run()
    }

    /// Ends the thread. It uses libcrypto, which must not run while the process cleans up.
    func end() {
        isUnwanted.store(true, ordering: .relaxed)
        done.wait()
    }

    /// Waits, and compares.
    func outcome() throws(ModelError) {
        done.wait()
        for (part, hash) in zip(parts, hashes) where hash.hexadecimal != part.expected { throw part.failure() }
    }

    /// The object that was passed to the thread. (Darwin's pointer isn't optional, Glibc's is.)
    private static func retained(_ argument: UnsafeMutableRawPointer?) -> Work? {
        argument.map { Unmanaged<Work>.fromOpaque($0).takeRetainedValue() }
    }

    private func run() {
        defer { done.leave() }
        for (part, hash) in zip(parts, hashes) {
            for start in stride(from: 0, to: part.bytes.count, by: Self.pieceBytes) {
                if isUnwanted.load(ordering: .relaxed) { return }
                let piece = start..<min(start + Self.pieceBytes, part.bytes.count)
                hash.update(UnsafeRawBufferPointer(rebasing: part.bytes[piece]))
            }
        }
    }
}
