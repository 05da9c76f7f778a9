import Foundation
import TestSupport
import Testing

struct PlainTableTests {
    private static let csv = "number,category,body\n1,spam,\"a, b\"\n2,ham,c\n"
    private static let options = "-q --format csv --header --columns label=category,text=body"

    private func records(_ name: String) -> String {
        #"{"id":"\#(name)-1","label":"spam","text":"a, b"}"# + "\n" + #"{"id":"\#(name)-2","label":"ham","text":"c"}"#
            + "\n"
    }

    @Test("a plain file is the table itself, whatever its name, and so are stdin and a pipe")
    func plainSources() throws {
        let folder = try Folder()
        for name in ["data.csv", "data.zip"] { try folder.write(name, Self.csv) }
        for (source, name) in [("data.csv", "data"), ("data.zip", "data"), ("- < data.csv", "stdin")] {
            let result = try shell("fetch-unzip \(Self.options) \(source)", in: folder.url)
            #expect(result.text == records(name) && result.status == 0, "\(result.errors)")
        }
        let piped = try shell(
            "mkfifo f.csv; cat data.csv > f.csv & fetch-unzip \(Self.options) f.csv", in: folder.url)
        #expect(piped.text == records("f"), "\(piped.errors)")
    }

    @Test("hashes are checked, and a plain file has no entries")
    func hashOfPlainFile() throws {
        let folder = try Folder()
        try folder.write("data.csv", Self.csv)
        let hash = try shell("sha256sum < data.csv", in: folder.url).text.prefix(64)
        let command = "fetch-unzip \(Self.options) data.csv"
        for option in ["--sha256", "--entry-sha256"] {
            #expect(try shell("\(command) \(option) \(hash)", in: folder.url).text == records("data"))
            let wrong = try shell("\(command) \(option) \(String(hash.reversed()))", in: folder.url)
            expectFailure(wrong, 65, "fetch-unzip", "SHA-256")
        }
        expectFailure(
            try shell("\(command) --entry data.csv", in: folder.url), 65, "fetch-unzip", "isn't a zip archive")
    }

    @Test("too many columns are an error, and column names need a header")
    func columnNames() throws {
        let csv = Data("category,body,more\n175,private,x\n".utf8)
        expectFailure(
            try shell("fetch-unzip -q - --format csv", input: csv), 65, "fetch-unzip", "3 columns instead of 2")
        expectFailure(
            try shell("fetch-unzip -q - --format csv --columns label=category,text=body", input: csv), 64,
            "fetch-unzip", "--header")
    }

    @Test(
        "a plain file comes over the network, and an HTML page in its place is refused",
        .enabled(if: PythonServer.python != nil, "needs python3 for a web server on loopback"))
    func plainDownload() throws {
        let folder = try Folder()
        let server = try FileServer.start(in: folder)
        try folder.write("my%20data.csv", Self.csv)
        try folder.write("page", "<html>log in</html>")
        let hash = try shell("sha256sum < my%20data.csv", in: folder.url).text.prefix(64)
        for cache in ["", "--cache c", "--cache c --sha256 \(hash)"] {
            let result = try shell(
                "fetch-unzip \(Self.options) \(cache) \(server.address("my%20data.csv"))", in: folder.url)
            #expect(result.text == records("my data"), "\(result.errors)")
        }
        for format in ["csv", "raw"] {
            let page = try shell("fetch-unzip -q --format \(format) \(server.address("page"))", in: folder.url)
            expectFailure(page, 65, "fetch-unzip", "HTML page")
        }
    }

    @Test("README's block \"From a CSV\" writes what it shows")
    func readmeExample() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        let section = try #require(readme.components(separatedBy: "### From a CSV\n").last)
        let blocks = section.components(separatedBy: "```")
        try #require(blocks.count > 3 && blocks[1].hasPrefix("sh\n") && blocks[3].hasPrefix("json\n"))
        let folder = try Folder()
        let result = try shell(String(blocks[1].dropFirst(3)), in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.text == blocks[3].dropFirst(5))
    }
}
