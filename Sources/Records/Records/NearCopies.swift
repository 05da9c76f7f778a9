// Texts that are nearly equal, found without comparing each with each other one: MinHash (Broder 1997) and banding (Indyk &
// Motwani 1998). Candidates share a band of their signatures; whether they are near copies their shingles tell, exactly.

/// Texts, among which those of every new one's near copies are found.
///
/// Memory: the texts, and for the default similarity about 400 bytes for each of them.
package struct NearCopies {
    /// The least Jaccard similarity of near copies, above 0 and at most 1.
    package let similarity: Double
    /// The texts that were added, each once.
    private var texts: LineStore
    private var numbers: [UInt64: Int] = [:]

    // Of a signature's numbers, `rows` make up a band. Two texts whose similarity is s agree in one of them with probability
    // sʳᵒʷˢ.
    private let rows: Int
    private let bands: Int
    private let factors: [SIMD8<UInt32>]
    private let terms: [SIMD8<UInt32>]

    // A hash table with chains: of band k of text t the entry t·bands + k.
    private var heads: [UInt32]
    private var next: [UInt32] = []
    private var keys: [UInt32] = []
    private var lastQuery: [UInt32] = []
    private var queries: UInt32 = 0

    /// Chains longer than this aren't followed, so that many texts that resemble each other don't take quadratic time.
    private static let mostCandidates = 128
    private static let none = UInt32.max

    /// - Parameters:
    ///   - similarity: the least one of near copies.
    ///   - source: the input's name, for errors.
    package init(similarity: Double = 0.8, source: String) {
        self.similarity = similarity
        (rows, bands) = Self.bands(similarity)
        var generator = SeededGenerator(seed: 1997)
        let vectors = (rows * bands + 7) / 8
        func draw() -> SIMD8<UInt32> {
            var lanes = SIMD8<UInt32>()
            for i in 0..<8 { lanes[i] = UInt32(truncatingIfNeeded: generator.next() >> 32) }
            return lanes
        }
        factors = (0..<vectors).map { _ in draw() | SIMD8(repeating: 1) }
        terms = (0..<vectors).map { _ in draw() }
        texts = LineStore(source: source, overhead: 64 + 16 * bands)
        heads = [UInt32](repeating: Self.none, count: 1 << 12)
    }

    /// As many rows as 200 numbers allow where 99.9 % of the pairs with this similarity agree in a band.
    package static func bands(_ similarity: Double) -> (rows: Int, bands: Int) {
        if similarity >= 1 { return (1, 1) }
        var best = (rows: 1, bands: 200)
        var power = 1.0
        for rows in 1...16 {
            power *= similarity
            var (missed, bands) = (1.0, 0)
            while missed > 1e-3, bands < 201 {
                missed *= 1 - power
                bands += 1
            }
            if rows * bands > 200 { break }
            best = (rows, bands)
        }
        return best
    }

    /// How many different texts were added.
    package var count: Int { texts.count }
    /// The memory that the texts take, and what is kept of each.
    package var byteCount: Int { texts.byteCount }

    /// Adds a text that ``foldedText(_:)`` has folded.
    ///
    /// - Parameter line: its line in the input, for errors.
    /// - Returns: its number, that of the equal text where there is one; and the numbers of its near copies among the texts
    ///   that were added before, ascending.
    package mutating func add(_ text: [UInt8], line: Int) throws(StreamError) -> (number: Int, copies: [Int]) {
        let hash = Self.hash(text)
        if let number = numbers[hash] { return (number, []) }
        let number = texts.count
        numbers[hash] = number
        let shingles = Shingles(of: text)
        let keys = keys(of: shingles)
        let copies = copies(shingles, keys)
        try texts.append(Line(number: line, bytes: text))
        insert(keys)
        return (number, copies)
    }

    /// The numbers of the texts that are equal to `text`, or near copies of it, ascending. `text` is folded.
    package mutating func copies(of text: [UInt8]) -> [Int] {
        if let number = numbers[Self.hash(text)] { return [number] }
        let shingles = Shingles(of: text)
        return copies(shingles, keys(of: shingles))
    }

    private mutating func copies(_ shingles: Shingles, _ keys: [UInt32]) -> [Int] {
        queries += 1
        var found: [Int] = []
        for (band, key) in keys.enumerated() {
            var entry = heads[Int(key) & (heads.count - 1)]
            var left = Self.mostCandidates
            while entry != Self.none, left > 0 {
                let (text, place) = Int(entry).quotientAndRemainder(dividingBy: bands)
                if place == band, self.keys[Int(entry)] == key {
                    left -= 1
                    if lastQuery[text] != queries {
                        lastQuery[text] = queries
                        if shingles.similarity(to: Shingles(of: texts[text])) >= similarity { found.append(text) }
                    }
                }
                entry = next[Int(entry)]
            }
        }
        return found.sorted()
    }

    /// The least of h(s) over all shingles s, for every hash function h, a band's together as one number.
    private func keys(of shingles: Shingles) -> [UInt32] {
        withUnsafeTemporaryAllocation(of: SIMD8<UInt32>.self, capacity: factors.count) { least in
            least.initialize(repeating: SIMD8(repeating: .max))
            factors.withUnsafeBufferPointer { factors in
                terms.withUnsafeBufferPointer { terms in
                    for hash in shingles.hashes {
                        let word = SIMD8(repeating: UInt32(truncatingIfNeeded: hash))
                        for i in 0..<least.count {
                            let value = factors[i] &* word &+ terms[i]
                            least[i].replace(with: value, where: value .< least[i])
                        }
                    }
                }
            }
            return least.withMemoryRebound(to: UInt32.self) { numbers in
                (0..<bands).map { band in
                    var key = UInt64(band)
                    for row in 0..<rows { key = SplitMix64.mixed(key ^ UInt64(numbers[band * rows + row])) }
                    return UInt32(truncatingIfNeeded: key)
                }
            }
        }
    }

    private mutating func insert(_ keys: [UInt32]) {
        lastQuery.append(0)
        if self.keys.count + keys.count > heads.count { grow() }
        for key in keys {
            let entry = self.keys.count
            self.keys.append(key)
            next.append(heads[Int(key) & (heads.count - 1)])
            heads[Int(key) & (heads.count - 1)] = UInt32(entry)
        }
    }

    private mutating func grow() {
        heads = [UInt32](repeating: Self.none, count: 2 * heads.count)
        for (entry, key) in keys.enumerated() {
            next[entry] = heads[Int(key) & (heads.count - 1)]
            heads[Int(key) & (heads.count - 1)] = UInt32(entry)
        }
    }

    /// 64 bits of a text: equal texts are recognized by them.
    static func hash(_ text: some Sequence<UInt8>) -> UInt64 {
        SplitMix64.mixed(text.reduce(FNV1a.basis) { FNV1a.extended($0, UInt64($1)) })
    }
}
