import Records
import TestSupport
import Testing

struct NearCopiesTests {
    private static let words: [String] = {
        // Pronounceable, and unlike each other: three of 70 syllables.
        let vowels = ["a", "e", "i", "o", "u"]
        let syllables = "bdfgklmnprstvz".flatMap { consonant in vowels.map { "\(consonant)\($0)" } }
        return (0..<3000).map { number in
            let third = (number * 37 + 11) % 70
            return syllables[number % 70] + syllables[number / 70 % 70] + syllables[third]
        }
    }()

    private static func text(_ generator: inout SeededGenerator) -> [String] {
        (0..<8 + generator.nextInteger(below: 20)).map { _ in words[generator.nextInteger(below: words.count)] }
    }

    /// A copy in which `edits` words are replaced, dropped or added.
    private static func edited(_ text: [String], _ edits: Int, _ generator: inout SeededGenerator) -> [String] {
        var text = text
        for _ in 0..<edits {
            let place = generator.nextInteger(below: text.count)
            let word = words[generator.nextInteger(below: words.count)]
            switch generator.nextInteger(below: 3) {
            case 0: text[place] = word
            case 1: text.insert(word, at: place)
            default: if text.count > 1 { text.remove(at: place) }
            }
        }
        return text
    }

    private static func utf8(_ words: [String]) -> [UInt8] { foldedText(Array(words.joined(separator: " ").utf8)) }

    @Test("of planted copies with a similarity of 0.8 and more, 99 % are found, and nothing below it")
    func recall() throws {
        var generator = SeededGenerator(seed: 1)
        var copies = NearCopies(source: "texts")
        var (near, found) = (0, 0)
        for number in 0..<3000 {
            let original = Self.utf8(Self.text(&generator))
            let first = try copies.add(original, line: number)
            #expect(first.copies.isEmpty, "a text of its own")
            // Five strengths: from one word to five.
            let text = String(decoding: original, as: UTF8.self).split(separator: " ").map(String.init)
            let copy = Self.utf8(Self.edited(text, 1 + number % 5, &generator))
            if copy == original { continue }
            let similarity = Shingles(of: original).similarity(to: Shingles(of: copy))
            let second = try copies.add(copy, line: number)
            #expect(second.copies == [] || (second.copies == [first.number] && similarity >= 0.8))
            if similarity >= 0.8 {
                near += 1
                found += second.copies.isEmpty ? 0 : 1
            }
        }
        #expect(near > 700 && Double(found) >= 0.99 * Double(near), "\(found) of \(near)")
    }

    @Test("what is found is what comparing each with each other one finds", arguments: [0.5, 0.7, 0.9, 1])
    func everyPair(similarity: Double) throws {
        var generator = SeededGenerator(seed: 2)
        var copies = NearCopies(similarity: similarity, source: "texts")
        var texts: [(number: Int, shingles: Shingles)] = []
        var (wanted, got) = (0, 0)
        var family = Self.text(&generator) + Self.text(&generator)
        for number in 0..<300 {
            // Every copy is one of the last text or of the one before.
            if number % 10 == 0 { family = Self.text(&generator) + Self.text(&generator) }
            let words = Self.edited(family, 1 + number % 4, &generator)
            if number % 2 == 0 { family = words }
            let text = Self.utf8(words)
            let shingles = Shingles(of: text)
            let known = texts.filter { $0.shingles == shingles || shingles.similarity(to: $0.shingles) >= similarity }
            let result = try copies.add(text, line: number)
            if result.number < texts.count {
                #expect(result.copies.isEmpty && texts[result.number].shingles == shingles)
                continue
            }
            #expect(Set(result.copies).isSubset(of: known.map(\.number)))
            wanted += known.count
            got += result.copies.count
            texts.append((result.number, shingles))
        }
        #expect(Double(got) >= 0.99 * Double(wanted), "\(got) of \(wanted)")
        #expect(similarity == 1 || wanted > 40)
    }

    @Test("shingles are sets of five characters, also of other scripts; a short text is one")
    func shingles() {
        func shingles(_ text: String) -> Shingles { Shingles(of: Array(text.utf8)) }
        #expect(shingles("abcdef").hashes.count == 2)
        #expect(shingles("aaaaaaaaa").hashes.count == 1)
        #expect(shingles("abc").hashes.count == 1 && shingles("").hashes.count == 1)
        #expect(shingles("abc") != shingles("abd") && shingles("abc") != shingles("abcd"))
        #expect(shingles("äöüßé").hashes.count == 1 && shingles("äöüßéè").hashes.count == 2)
        // {abcde, bcdef} and {abcde, bcdeg}: one of three.
        #expect(shingles("abcdef").similarity(to: shingles("abcdeg")) == 1.0 / 3)
        #expect(shingles("xabcdef").similarity(to: shingles("abcdefy")) == 0.5)
        #expect(shingles("abcdef").similarity(to: shingles("abcdef")) == 1)
        #expect(shingles("abcdef").similarity(to: shingles("uvwxyz")) == 0)
    }

    @Test("bands find 99.9 % of the pairs at the least similarity, with at most 200 numbers a text")
    func bands() {
        for similarity in stride(from: 0.3, through: 0.99, by: 0.01) {
            let (rows, bands) = NearCopies.bands(similarity)
            #expect(rows * bands <= 200)
            var power = 1.0
            for _ in 0..<rows { power *= similarity }
            var missed = 1.0
            for _ in 0..<bands { missed *= 1 - power }
            #expect(missed <= 1e-3, "\(similarity): \(rows) rows, \(bands) bands miss \(missed)")
        }
    }

    @Test("copies of a text are found without adding it")
    func lookingUp() throws {
        var copies = NearCopies(source: "texts")
        let text = "please call our customer service line before the end of the day to claim it"
        _ = try copies.add(Array(text.utf8), line: 1)
        #expect(copies.copies(of: Array(text.utf8)) == [0])
        #expect(copies.copies(of: Array((text + "!").utf8)) == [0])
        #expect(copies.copies(of: Array("something else altogether, of another kind".utf8)) == [])
        #expect(copies.count == 1)
    }
}
