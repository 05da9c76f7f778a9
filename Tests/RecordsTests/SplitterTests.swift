import Records
import TestSupport
import Testing

struct SplitterTests {
    @Test("sizes are exactly those of the chapter, also where binary fractions would be off by one")
    func partSizes() {
        #expect(Fractions.standard.sizes(of: 1494) == [1045, 149, 300])
        #expect(Fractions.standard.sizes(of: 10) == [7, 1, 2])
        #expect(Fractions.standard.sizes(of: 90) == [63, 9, 18])
        #expect(Fractions("0.8,.2,0")?.sizes(of: 5) == [4, 1, 0])
        #expect(Fractions("1,0,0")?.sizes(of: .max) == [.max, 0, 0])
    }

    @Test(
        "shares that aren't three decimals adding up to 1 are refused [C47]",
        arguments: [
            "", "0.7", "0.7,0.3", "0.7,0.1,0.1", "1.1,-0.1,0", "-0.7,0.1,0.2", "nan,0,1", "0.7,0.1,0.2,0", "a,b,c",
            ".,1,0",
            "1e0,0,0", "0.7,0.1,0.2 ", "2,0,-1", "0.0000000001,0.9999999999,0",
        ])
    func invalidShares(text: String) { #expect(Fractions(text) == nil) }

    @Test("parts are disjoint and make up the input, and the same seed gives the same bytes [C46] [C49]")
    func disjointParts() throws {
        let input = corpus([("ham", 700), ("spam", 300)])
        for (stratified, grouped) in [(false, false), (true, false), (false, true), (true, true)] {
            let splitter = Splitter(isStratified: stratified, grouping: grouped ? .equalTexts : .none)
            let split = try splitter.split(reader(input))
            #expect(Part.allCases.map(split.count) == [700, 100, 200])
            let parts = try Part.allCases.map { part in try writtenLines { try split.write(part, to: $0) } }
            #expect(parts.flatMap { $0 }.sorted() == input.sorted())
            let again = try splitter.split(reader(input))
            #expect(try writtenLines { try again.write(.test, to: $0) } == parts[2])
            if stratified {
                #expect(parts.map { $0.count { $0.contains("spam") } } == [210, 30, 60])
            }
        }
    }

    @Test("equal texts stay together, case and white space aside, and the sizes stay near [C48]")
    func equalTexts() throws {
        let texts = ["Call NOW", "call  now ", " cALL\\tnow", "Straße é", "STRAßE É"]
        let input = corpus([("ham", 500), ("spam", 500)]) { $0 % 4 == 0 ? texts[$0 / 4 % 5] + "\($0 % 16)" : "t\($0)" }
        let split = try Splitter(grouping: .equalTexts).split(reader(input))
        let parts = try Part.allCases.map { part in try writtenLines { try split.write(part, to: $0) } }
        var homes: [[UInt8]: Set<Int>] = [:]
        for (index, part) in parts.enumerated() {
            for line in part {
                let value = try JSONValue(parsing: Array(line.utf8))
                homes[foldedText(Array((value["text"]?.string ?? "").utf8)), default: []].insert(index)
            }
        }
        #expect(homes.values.allSatisfy { $0.count == 1 })
        #expect(parts.map(\.count) == [700, 100, 200])
    }

    @Test("a chain of near copies is one group, also where its links come from its end to its beginning")
    func chainOfCopies() throws {
        func words(_ number: Int) -> String { (0..<12).map { "w\(number)w\(number)w\($0)" }.joined(separator: " ") }
        func line(_ text: String) -> String { "{\"text\":\"\(text)\"}" }
        let chain = (0..<40).map(words) + (1..<40).reversed().map { words($0) + " " + words($0 - 1) }
        // A shingle each, and none in common.
        let others = (10_000..<10_221).map { "\($0)" }
        let split = try Splitter(grouping: .nearCopies(similarity: 0.3)).split(reader((chain + others).map(line)))
        let parts = try Part.allCases.map { part in try writtenLines { try split.write(part, to: $0) } }
        #expect(parts.map(\.count) == [210, 30, 60])
        #expect(parts.map { $0.count { $0.contains("w") } }.sorted() == [0, 0, 79])
    }

    @Test("texts are folded by case and white space, nothing else")
    func foldedTexts() {
        #expect(foldedText(Array("  Hello\t\n WORLD ".utf8)) == Array("hello world".utf8))
        #expect(foldedText(Array("ÀB\u{A0}\u{2003}c".utf8)) == Array("àb c".utf8))
        #expect(foldedText([]) == [])
    }
}
