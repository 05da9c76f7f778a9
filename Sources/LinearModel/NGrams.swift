// The n-grams of a text: words and pairs of words, and runs of two to five characters within a word and its edges. As
// scikit-learn's TfidfVectorizer cuts them, with ngram_range=(1, 2), and with analyzer="char_wb", ngram_range=(2, 5).

import Records

/// Hashes of n-grams.
package enum NGrams {
    /// The kinds of n-grams, which are counted and normalized apart.
    package enum Kind: Int, CaseIterable {
        /// Words, and pairs of neighbouring ones.
        case words
        /// Runs of characters.
        case characters
    }

    /// The hashes of a text's n-grams, each as often as it occurs.
    ///
    /// - Parameters:
    ///   - utf8: valid UTF-8.
    ///   - add: gets the hash of every n-gram.
    package static func forEach(in utf8: ArraySlice<UInt8>, _ add: (_ kind: Kind, _ hash: UInt64) -> Void) {
        var scalars: [UInt32] = []
        scalars.reserveCapacity(utf8.count)
        if utf8.allSatisfy({ $0 < 0x80 }) {
            for byte in utf8 { scalars.append(UInt32(0x41...0x5A ~= byte ? byte + 0x20 : byte)) }
        } else {
            for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars {
                scalars += scalar.properties.lowercaseMapping.unicodeScalars.map(\.value)
            }
        }
        words(scalars) { add(.words, $0) }
        characters(scalars) { add(.characters, $0) }
    }

    /// The hash of an n-gram, lower-cased, a blank between two words.
    package static func hash(of ngram: String) -> UInt64 {
        SplitMix64.mixed(ngram.unicodeScalars.reduce(FNV1a.basis) { extended($0, $1.value) })
    }

    /// Characters of the longest runs.
    private static let longest = 5

    /// FNV-1a of code points.
    private static func extended(_ hash: UInt64, _ scalar: UInt32) -> UInt64 { FNV1a.extended(hash, UInt64(scalar)) }

    /// Words of two and more letters, digits or underscores, and pairs of neighbouring ones.
    private static func words(_ scalars: [UInt32], _ add: (UInt64) -> Void) {
        var before: UInt64?
        var start: Int?
        for place in 0...scalars.count {
            if place < scalars.count, isWord(scalars[place]) {
                start = start ?? place
                continue
            }
            guard let first = start else { continue }
            start = nil
            guard place - first > 1 else { continue }
            var word = FNV1a.basis
            var pair = before.map { extended($0, 0x20) }
            for letter in first..<place {
                word = extended(word, scalars[letter])
                pair = pair.map { extended($0, scalars[letter]) }
            }
            add(SplitMix64.mixed(word))
            if let pair { add(SplitMix64.mixed(pair)) }
            before = word
        }
    }

    private static func isWord(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 {
            return 0x61...0x7A ~= scalar || 0x30...0x39 ~= scalar || scalar == 0x5F || 0x41...0x5A ~= scalar
        }
        guard let scalar = Unicode.Scalar(scalar) else { return false }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            return true
        default: return false
        }
    }

    private static func isSpace(_ scalar: UInt32) -> Bool {
        if scalar < 0x80 { return 0x09...0x0D ~= scalar || 0x1C...0x20 ~= scalar }
        return Unicode.Scalar(scalar)?.properties.isWhitespace ?? false
    }

    /// Runs of two to five characters of every word with a space on both sides.
    private static func characters(_ scalars: [UInt32], _ add: (UInt64) -> Void) {
        var place = 0
        while place < scalars.count {
            if isSpace(scalars[place]) {
                place += 1
                continue
            }
            let start = place
            while place < scalars.count, !isSpace(scalars[place]) { place += 1 }
            // The word with its edges has the places start − 1 ... place.
            for first in start - 1..<place {
                var run = FNV1a.basis
                for last in first...min(first + longest - 1, place) {
                    run = extended(run, last < start || last == place ? 0x20 : scalars[last])
                    if last > first { add(SplitMix64.mixed(run)) }
                }
            }
        }
    }
}
