// Packed rows: every token of every document is in them once, in its order.

import Records
import Testing
import Tokenization

struct RowPackerTests {
    private func pack(_ documents: [[Int32]], length: Int) -> [(row: [Int32], line: Int64)] {
        var packer = RowPacker(length: length, endOfText: 99)
        var rows: [(row: [Int32], line: Int64)] = []
        for (index, document) in documents.enumerated() {
            packer.add(document, line: Int64(index + 1)) { rows.append(($0, $1)) }
        }
        packer.finish { rows.append(($0, $1)) }
        return rows
    }

    @Test("documents fill the row that has the least room for them")
    func bestFit() {
        let rows = pack([[1, 1, 1, 1], [2, 2], [3], [4, 4, 4]], length: 6)
        // 5 of 6 tokens, 3, then 2 beside the 3, and 4 in a row of their own.
        #expect(rows.map(\.row) == [[1, 1, 1, 1, 99], [2, 2, 99, 3, 99], [4, 4, 4, 99]])
        #expect(rows.map(\.line) == [1, 2, 4])
    }

    @Test("a long document is cut into parts, which begin rows of their own")
    func longDocuments() {
        let rows = pack([[1, 2, 3, 4, 5, 6, 7, 8, 9], [5]], length: 4)
        #expect(rows.map(\.row) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 99, 5, 99]])
        #expect(pack([[1, 2, 3]], length: 4).map(\.row) == [[1, 2, 3, 99]], "full at once")
        #expect(pack([[1, 2, 3, 4]], length: 4).map(\.row) == [[1, 2, 3, 4], [99]], "the end alone is left")
    }

    @Test("all tokens of all documents are in the rows, which begin where documents or their parts begin")
    func nothingLost() {
        var generator = SeededGenerator(seed: 12)
        let documents = (0..<2000).map { index in
            (0..<1 + generator.nextInteger(below: 150)).map { _ in Int32(1000 + index) }
        }
        let length = 64
        let rows = pack(documents, length: length)
        #expect(rows.allSatisfy { (1...length).contains($0.row.count) })
        var counts: [Int32: Int] = [:]
        for (row, _) in rows { for token in row { counts[token, default: 0] += 1 } }
        for (index, document) in documents.enumerated() { #expect(counts[Int32(1000 + index)] == document.count) }
        #expect(counts[99] == documents.count)
        for (row, line) in rows where row[0] != 99 { #expect(Int(row[0]) == 1000 + Int(line) - 1) }
        let fill = Double(rows.reduce(0) { $0 + $1.row.count }) / Double(rows.count * length)
        #expect(fill > 0.95, "\(fill)")
    }
}
