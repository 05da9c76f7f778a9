import Foundation
import Records
import TestSupport
import Testing

import Fetching

struct TableTests {
    private func convert(_ text: String, _ converter: TableConverter) throws -> [String] {
        try convert(Array(text.utf8), converter)
    }

    private func convert(_ bytes: [UInt8], _ converter: TableConverter) throws -> [String] {
        try writtenLines { sink in _ = try converter.convert(ByteSource(bytes: bytes, name: "table"), to: sink) }
    }

    private func columns(_ text: String) -> [TableColumn] { TableColumn.list(text) ?? [] }

    @Test("tab-separated text has no quoting, and further tabs belong to the text [C44]")
    func tabSeparated() throws {
        #expect(
            try convert("ham\tsay \"hi\nspam\ta\tb\r\n", TableConverter(name: "t")) == [
                #"{"id":"t-1","label":"ham","text":"say \"hi"}"#, #"{"id":"t-2","label":"spam","text":"a\tb"}"#,
            ])
        #expect(throws: FetchError.tooFewColumns(source: "table", line: 2, count: 1, expected: 2)) {
            try convert("ham\ta\nspam\n", TableConverter(name: "t"))
        }
    }

    @Test("bytes that aren't UTF-8 are an error with their line [A15]", arguments: [TableFormat.tsv, .csv])
    func invalidUTF8(format: TableFormat) throws {
        let separator: UInt8 = format == .tsv ? 0x09 : 0x2C
        #expect(throws: FetchError.invalidUTF8(source: "table", line: 2)) {
            try convert(
                [0x61, separator, 0x62, 0x0A, 0x61, separator, 0xFF], TableConverter(format: format, name: "t"))
        }
    }

    @Test("CSV follows RFC 4180")
    func csv() throws {
        let text = "\u{FEFF}id,skip,text,label\r\n1,x,\"a \"\"q\"\", b\nc\",ham\r\n2,,plain,spam"
        #expect(
            try convert(text, TableConverter(format: .csv, hasHeader: true, name: "t")) == [
                #"{"id":"t-1","label":"ham","text":"a \"q\", b\nc"}"#, #"{"id":"t-2","label":"spam","text":"plain"}"#,
            ])
        #expect(
            try convert("1,x,t", TableConverter(format: .csv, columns: columns("id,_,text"), name: "t")) == [
                #"{"id":"1","text":"t"}"#
            ])
        for bad in ["a,\"b", "a,\"b\"c\n", "a,b\"c\n"] {
            #expect(throws: FetchError.misplacedQuote(source: "table", line: 1)) {
                try convert(bad, TableConverter(format: .csv, name: "t"))
            }
        }
    }

    @Test("every row has as many fields as there are column names", arguments: [TableFormat.csv, .tsv])
    func rowWidth(format: TableFormat) throws {
        let separator = format == .csv ? "," : "\t"
        func rows(_ text: String) -> String { text.replacing("|", with: separator) }
        if format == .csv {
            #expect(throws: FetchError.tooManyColumns(source: "table", line: 2, count: 3, expected: 2)) {
                try convert("ham,a\nspam,b,c\n", TableConverter(format: format, name: "t"))
            }
        }
        let headed = TableConverter(format: format, hasHeader: true, name: "t")
        #expect(throws: FetchError.tooManyColumns(source: "table", line: 3, count: 4, expected: 3)) {
            try convert(rows("label|text|more\nham|a|1\nspam|b|c|2\n"), headed)
        }
        #expect(throws: FetchError.tooFewColumns(source: "table", line: 2, count: 2, expected: 3)) {
            try convert(rows("label|text|more\nham|a\n"), headed)
        }
    }

    @Test("a header read as a record is an error", arguments: [TableFormat.csv, .tsv])
    func forgottenHeader(format: TableFormat) throws {
        let text = "label,text\nham,a\n".replacing(",", with: format == .csv ? "," : "\t")
        #expect(throws: FetchError.namesAsRecord(source: "table")) {
            try convert(text, TableConverter(format: format, name: "t"))
        }
    }

    @Test("columns can be given other keys than the header's")
    func renamedColumns() throws {
        let converter = TableConverter(
            format: .csv, columns: columns("label=category,text=a=b"), hasHeader: true, name: "t")
        #expect(
            try convert("n,a=b,category\n1,hello,ham\n", converter) == [#"{"id":"t-1","label":"ham","text":"hello"}"#])
        #expect(throws: FetchError.noSuchColumn(source: "table", column: "category")) {
            try convert("n,a=b,class\n1,hello,ham\n", converter)
        }
        for wrong in ["", "a,", "a,a", "a,a=b", "=b", "a=", "_=b"] { #expect(TableColumn.list(wrong) == nil) }
    }

    @Test("a table without rows is an error [A11]", arguments: [TableFormat.tsv, .csv, .ndjson])
    func emptyTable(format: TableFormat) {
        #expect(throws: RecordError.noRecords(source: "table")) {
            try convert("", TableConverter(format: format, name: "t"))
        }
    }

    @Test("a mirror is searched for the name as it is written and for the decoded name")
    func mirrorNames() {
        #expect(WebAddress.fileNames(of: "https://x/a/sms%2Bspam.zip?q=1") == ["sms%2Bspam.zip", "sms+spam.zip"])
        #expect(WebAddress.fileNames(of: "https://x/a/%2e%2e%2fb") == ["%2e%2e%2fb"])
        #expect(WebAddress.fileNames(of: "https://x/..") == [])
    }

    @Test("separators and quotes count for the length of a row")
    func longRows() throws {
        for row in [String(repeating: ",", count: 2000), String(repeating: "\"\",", count: 600)] {
            #expect(throws: StreamError.lineTooLong(source: "table", line: 2, maximum: 1000)) {
                try convert("a,b\n" + row + "\n", TableConverter(format: .csv, name: "t", maximumLineLength: 1000))
            }
        }
    }
}
