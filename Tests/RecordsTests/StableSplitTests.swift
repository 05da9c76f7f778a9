import Records
import TestSupport
import Testing

struct StableSplitTests {
    /// Texts of which a third are edited copies of earlier ones, and some equal ones.
    private func lines(_ count: Int) -> [String] {
        var generator = SeededGenerator(seed: 3)
        var texts: [String] = []
        return (0..<count).map { number in
            let text: String
            if number % 3 == 2 {
                text = texts[generator.nextInteger(below: texts.count)] + (number % 2 == 0 ? "" : " x\(number % 7)")
            } else {
                text = (0..<12).map { _ in "w\(generator.nextInteger(below: 9000))" }.joined(separator: " ")
            }
            texts.append(text)
            return #"{"label":"\#(number % 5 == 0 ? "spam" : "ham")","text":"\#(text)","id":\#(number)}"#
        }
    }

    private func parts(_ splitter: Splitter, _ lines: [String]) throws -> (lines: [[String]], separated: Int) {
        let split = try splitter.split(reader(lines))
        return (try Part.allCases.map { part in try writtenLines { try split.write(part, to: $0) } }, split.separated)
    }

    @Test(
        "appended records never move earlier ones, and every part keeps the order of the input",
        arguments: [Splitter.Grouping.none, .equalTexts, .nearCopies(similarity: 0.8)])
    func appending(_ grouping: Splitter.Grouping) throws {
        let all = lines(900)
        let splitter = Splitter(grouping: grouping, isStable: true)
        let whole = try parts(splitter, all).lines
        #expect(whole.flatMap { $0 }.sorted() == all.sorted())
        for count in [1, 10, 333, 899] {
            let part = try parts(splitter, Array(all.prefix(count))).lines
            for (early, late) in zip(part, whole) { #expect(Array(late.prefix(early.count)) == early) }
        }
        // 900 records at 0.7, 0.1 and 0.2, drawn by chance.
        for (part, share) in zip(whole, [0.7, 0.1, 0.2]) {
            #expect(abs(Double(part.count) / 900 - share) < 0.06, "\(part.count)")
        }
        var other = splitter
        other.seed = 5
        #expect(try parts(other, all).lines != whole)
    }

    @Test("near copies go to one part; those of several stable parts are counted", arguments: [true, false])
    func nearCopies(isStable: Bool) throws {
        let splitter = Splitter(grouping: .nearCopies(similarity: 0.8), isStable: isStable)
        let (parts, separated) = try parts(splitter, lines(900))
        var texts: [(shingles: Shingles, part: Int)] = []
        for (index, part) in parts.enumerated() {
            for line in part {
                let text = try JSONValue(parsing: Array(line.utf8))["text"]?.string ?? ""
                texts.append((Shingles(of: foldedText(Array(text.utf8))), index))
            }
        }
        var (together, apart) = (0, 0)
        for (i, a) in texts.enumerated() {
            for b in texts[..<i] where a.shingles.similarity(to: b.shingles) >= 0.8 {
                if a.part == b.part { together += 1 } else { apart += 1 }
            }
        }
        #expect(
            together > 300 && (apart == 0) == (separated == 0) && (isStable || apart == 0), "\(apart), \(separated)")
    }

    @Test("a copy of records in two parts joins the first of them, and is counted")
    func bridge() throws {
        let splitter = Splitter(grouping: .nearCopies(similarity: 0.6), isStable: true)
        func words(_ name: String) -> String { (0..<12).map { "\(name)\(name)\(name)\($0)" }.joined(separator: " ") }
        func line(_ text: String) -> String { #"{"label":"a","text":"\#(text)"}"# }
        var separated = 0
        for number in 0..<20 {
            // A third of the first two texts is in both, two thirds of the last one in each of them.
            let (first, second) = (words("x") + " " + words("p\(number)"), words("x") + " " + words("q\(number)"))
            let both = first + " " + words("q\(number)")
            let two = try parts(splitter, [first, second].map(line))
            let three = try parts(splitter, [first, second, both].map(line))
            let areApart = !two.lines.contains { $0.count == 2 }
            #expect(two.separated == 0 && three.separated == (areApart ? 1 : 0))
            let home = try #require(three.lines.first { $0.contains(line(first)) })
            #expect(home.contains(line(both)))
            separated += three.separated
        }
        #expect(0 < separated && separated < 20)
    }
}
