// Computes features into memory, into a temporary file, or into the files of a directory.

import Records

/// Computes the features of `texts`.
struct FeatureComputation {
    let extractor: FeatureExtractor
    let texts: DistinctTexts
    /// Bytes of memory that features may take.
    let memory: Int
    /// The rows of states of every text: all computed positions, or one.
    private let rows: TextLayout
    private let width: Int

    init(_ extractor: FeatureExtractor, _ texts: DistinctTexts, memory: Int) {
        self.extractor = extractor
        self.texts = texts
        self.memory = memory
        width = extractor.config.width
        rows = extractor.keptPooling == nil ? texts.layout : TextLayout(lengths: repeatElement(1, count: texts.count))
    }

    var bytes: Int { rows.tokens * width * MemoryLayout<Float>.size }

    /// The number of parts that may be mapped at a time.
    private func limit(_ pieces: [Range<Int>]) -> Int {
        let largest = pieces.map { bytes($0) }.max() ?? 1
        return max(extractor.workers.count, memory / 2 / max(1, largest))
    }

    private func bytes(_ piece: Range<Int>) -> Int {
        (rows.offsets[piece.upperBound] - rows.offsets[piece.lowerBound]) * width * MemoryLayout<Float>.size
    }

    /// Computes features into memory or, where it is too small, into a temporary file.
    func compute(finished: @Sendable (Int) -> Void) throws -> (FeatureStore, FeatureSummary.Place) {
        if bytes <= memory {
            let states = try Tensor(shape: [rows.tokens, width])
            try extractor.featurePass().run(
                FloatView(states.mutablePointer), 0..<texts.count, of: texts, finished: finished)
            return (FeatureStore(states, rows: rows, width: width), .memory)
        }
        let pieces = texts.pieces(rows: rows, width: width, limit: min(FeatureDirectory.pieceSize, memory / 4))
        let file = try UnnamedFile()
        let pass = try extractor.featurePass()
        let buffer = try FloatBuffer(count: (pieces.map { bytes($0) }.max() ?? 0) / MemoryLayout<Float>.size)
        var places: [Range<Int>] = []
        var end = 0
        for piece in pieces {
            try pass.run(FloatView(buffer.pointer), piece, of: texts, finished: finished)
            try file.write(UnsafeRawBufferPointer(start: buffer.pointer, count: bytes(piece)), at: end)
            places.append(end..<end + bytes(piece))
            end = (end + bytes(piece) + UnnamedFile.alignment - 1) / UnnamedFile.alignment * UnnamedFile.alignment
        }
        let width = width
        let store = FeatureStore(rows: rows, width: width, pieces: pieces, limit: limit(pieces)) { [places] piece in
            Tensor(mapping: try file.map(places[piece]), width: width)
        }
        return (store, .temporaryFile)
    }

    /// Computes the features that `directory` lacks into its files. Those that it has are checked and used.
    ///
    /// - Parameters:
    ///   - part: which files are computed; nil for all.
    ///   - finished: called with numbers of tokens that are ready, reused and skipped ones included.
    ///   - damaged: gets every file that has to be replaced.
    /// - Returns: the features, the tokens whose features were there, and the tokens of other parts' files, which may be missing.
    func compute(
        in directory: FeatureDirectory, part: (number: Int, count: Int)?, finished: @Sendable (Int) -> Void,
        damaged: (DamagedFeatures) throws -> Void
    ) throws -> (FeatureStore, reusedTokens: Int, skippedTokens: Int) {
        let pieces = texts.pieces(rows: rows, width: width, limit: FeatureDirectory.pieceSize)
        let entries = pieces.map { directory.entry($0, of: texts, rows: rows) }
        try Directory.create(directory.path)
        let found = try look(for: entries, in: directory)
        var (reused, skipped) = (0, 0)
        var pass: FeaturePass?
        for (index, piece) in pieces.enumerated() {
            let tokens = texts.layout.offsets[piece.upperBound] - texts.layout.offsets[piece.lowerBound]
            switch found[index] {
            case _ where part.map { index % $0.count != $0.number } ?? false:
                skipped += tokens
                finished(tokens)
                continue
            case .whole:
                reused += tokens
                finished(tokens)
                continue
            case .damaged(let problem): try damaged(problem)
            case .missing: break
            }
            let ready = try pass ?? extractor.featurePass()
            pass = ready
            let states = try Tensor(shape: [bytes(piece) / (width * MemoryLayout<Float>.size), width])
            try ready.run(FloatView(states.mutablePointer), piece, of: texts, finished: finished)
            try directory.write(states.values, entries[index])
        }
        let store = FeatureStore(rows: rows, width: width, pieces: pieces, limit: limit(pieces)) { piece in
            guard let states = try directory.states(entries[piece], checksum: false) else {
                throw StreamError.notFound(source: entries[piece].path)
            }
            return states
        }
        return (store, reused, skipped)
    }

    private enum Found {
        case whole, missing
        case damaged(DamagedFeatures)
    }

    /// Checks all files, several at a time.
    private func look(for entries: [FeatureDirectory.Entry], in directory: FeatureDirectory) throws -> [Found] {
        var found = [Found](repeating: .missing, count: entries.count)
        let failure = FirstFailure()
        found.withUnsafeMutableBufferPointer { found in
            nonisolated(unsafe) let found = found
            extractor.workers.forEach(entries.count) { index in
                failure.catching {
                    do {
                        if try directory.states(entries[index], checksum: true) != nil { found[index] = .whole }
                    } catch let error as DamagedFeatures {
                        found[index] = .damaged(error)
                    }
                }
            }
        }
        try failure.rethrow()
        return found
    }
}

extension Tensor {
    /// A mapped file as rows of `width` floats.
    fileprivate init(mapping: MappedFile, width: Int) {
        let floats = mapping.bytes.bindMemory(to: Float.self)
        guard let start = floats.baseAddress else { preconditionFailure("a piece without texts") }
        self.init(
            shape: [floats.count / width, width], reading: start, owner: mapping)
    }
}
