// The n-grams that a model knows: a number for each hash that a training text has.

import Platform

/// The features of a model.
package struct Vocabulary: Sendable {
    /// Bits of a hash that tell n-grams of a kind apart.
    package static let bits = 21
    /// The hashes of the features, ascending: words, then runs of characters, whose hashes have one bit more.
    package let hashes: [UInt32]
    /// How many of the features are words.
    package let words: Int
    /// The feature of every hash; −1 for one that no training text has.
    private let features: [Int32]

    /// The number of an n-gram with this hash.
    package static func number(_ kind: NGrams.Kind, _ hash: UInt64) -> Int {
        Int(hash & (1 << UInt64(bits) - 1)) | kind.rawValue << bits
    }

    /// A vocabulary of hashes, ascending, each once.
    package init(hashes: [UInt32]) {
        self.hashes = hashes
        words = hashes.count { $0 < 1 << Self.bits }
        var features = [Int32](repeating: -1, count: 2 << Self.bits)
        for (feature, hash) in hashes.enumerated() { features[Int(hash)] = Int32(feature) }
        self.features = features
    }

    /// The n-grams of texts, valid UTF-8.
    package init(of texts: [[UInt8]]) {
        var isThere = [Bool](repeating: false, count: 2 << Self.bits)
        for text in texts {
            NGrams.forEach(in: text[...]) { kind, hash in isThere[Self.number(kind, hash)] = true }
        }
        self.init(hashes: isThere.indices.filter { isThere[$0] }.map { UInt32($0) })
    }

    /// How often each feature occurs in a text, valid UTF-8, in the order of their first occurrence.
    ///
    /// - Parameter scratch: from call to call the same, so that nothing of its size is written.
    package func counts(_ text: ArraySlice<UInt8>, _ scratch: CountingScratch) -> SparseText {
        var result = SparseText()
        let most = min(4 * text.count, hashes.count)
        result.indices.reserveCapacity(most)
        result.values.reserveCapacity(most)
        features.withUnsafeBufferPointer { features in
            scratch.withPlaces(hashes.count) { places in
                NGrams.forEach(in: text) { kind, hash in
                    let feature = features[Self.number(kind, hash)]
                    guard feature >= 0 else { return }
                    let place = Int(places[Int(feature)])
                    if place > 0 {
                        result.values[place - 1] += 1
                    } else {
                        result.indices.append(feature)
                        result.values.append(1)
                        places[Int(feature)] = Int32(result.indices.count)
                    }
                }
                for feature in result.indices { places[Int(feature)] = 0 }
            }
        }
        return result
    }

    /// log((1 + N)/(1 + n)) + 1 for every feature, where n of the N texts have it; 0 for one that none has, as if it weren't
    /// known.
    package func rarity(in texts: [SparseText]) -> [Float] {
        var counts = [Int](repeating: 0, count: hashes.count)
        for text in texts {
            for feature in text.indices { counts[Int(feature)] += 1 }
        }
        return counts.map { $0 == 0 ? 0 : Float(log(Double(1 + texts.count) / Double(1 + $0)) + 1) }
    }
}

/// Room for the counting of features: where each lies among those of the text.
package final class CountingScratch {
    private var places: [Int32] = []

    /// Room for the features of any vocabulary.
    package init() {}

    /// Calls `body` with a number for each feature, all of which are 0 before and afterwards.
    func withPlaces(_ features: Int, _ body: (UnsafeMutableBufferPointer<Int32>) -> Void) {
        if places.count < features { places = [Int32](repeating: 0, count: features) }
        places.withUnsafeMutableBufferPointer { body($0) }
    }
}
