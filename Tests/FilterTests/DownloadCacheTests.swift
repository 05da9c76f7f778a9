import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: PythonServer.python != nil, "needs python3 for a web server on loopback"))
struct DownloadCacheTests {
    private let folder: Folder
    private let server: PythonServer

    init() throws {
        folder = try Folder()
        for name in ["a", "b", "slow"] {
            try FileManager.default.createDirectory(
                at: folder.url.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        server = try FileServer.start(in: folder)
        for (name, label) in [("a", "ham"), ("b", "spam"), ("slow", "ham")] {
            try folder.write("t.tsv", String(repeating: "\(label)\ta\n", count: 1000))
            let zipped = try shell(
                "python3 -c 'import zipfile; zipfile.ZipFile(\"\(name)/m.zip\", \"w\").write(\"t.tsv\")'",
                in: folder.url)
            #expect(zipped.status == 0, "\(zipped.errors)")
        }
    }

    private func fetch(_ path: String, _ options: String = "") throws -> FilterResult {
        try shell("fetch-unzip -q --cache c \(options) \(server.address(path))", in: folder.url)
    }

    private func expectLabel(_ label: String, _ result: FilterResult) {
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.lines.count == 1000 && result.lines.first == #"{"id":"t-1","label":"\#(label)","text":"a"}"#)
    }

    @Test("two addresses with the same last name are kept apart, and each is requested once")
    func keyedByAddress() throws {
        for _ in 0..<2 {
            expectLabel("ham", try fetch("a/m.zip"))
            expectLabel("spam", try fetch("b/m.zip"))
        }
        #expect(String(decoding: try folder.read("requests"), as: UTF8.self) == "/a/m.zip\n/b/m.zip\n")
        #expect(try folder.names("c").count == 2)
    }

    @Test("several runs at once get the right data from one download, and report that they wait")
    func concurrentRuns() throws {
        let result = try shell(
            """
            for i in 1 2 3 4 5 6; do
              (fetch-unzip --cache c \(server.address("slow/m.zip")) > out$i 2> err$i; echo $? >> codes) &
            done
            wait; sort -u codes; md5sum < out1; cat out? | md5sum; cat out1 out1 out1 out1 out1 out1 | md5sum
            cat err? | grep -c waiting
            """, in: folder.url)
        let lines = result.lines
        #expect(lines.first == "0" && lines.last == "5" && lines[2] == lines[3], "\(result.text)")
        #expect(String(decoding: try folder.read("requests"), as: UTF8.self) == "/slow/m.zip\n")
        #expect(try folder.names("c").count == 1)
    }

    @Test("an HTML page or a damaged archive isn't kept, and the next run gets the right one")
    func badContent() throws {
        let good = try folder.read("a/m.zip")
        let html = Data("\n<!DOCTYPE HTML><title>log in</title>".utf8)
        for (bad, words) in [
            (html, "HTML"), (good.prefix(5000), "zip archive"), (Data("busy".utf8), "column"), (Data(), "no records"),
        ] {
            try folder.write("a/m.zip", bad)
            expectFailure(try fetch("a/m.zip"), 65, "fetch-unzip", words)
            #expect(try folder.names("c").isEmpty)
            try folder.write("a/m.zip", good)
            expectLabel("ham", try fetch("a/m.zip"))
            try FileManager.default.removeItem(at: folder.url.appendingPathComponent("c"))
        }
    }

    @Test("a kept file that was damaged, or whose expected hash has changed, is downloaded again")
    func keptBadContent() throws {
        expectLabel("ham", try fetch("a/m.zip"))
        let kept = try #require(try folder.names("c").first)
        try folder.write("c/\(kept)", Data(try folder.read("a/m.zip").dropLast(9)))
        expectLabel("ham", try fetch("a/m.zip"))
        try folder.write("a/m.zip", try folder.read("b/m.zip"))
        let hash = try shell("sha256sum < b/m.zip", in: folder.url).text.prefix(64)
        expectLabel("spam", try fetch("a/m.zip", "--sha256 \(hash)"))
        expectLabel("spam", try fetch("a/m.zip"))
    }

    @Test("an archive without the entry is kept for another --entry")
    func otherEntry() throws {
        expectFailure(try fetch("a/m.zip", "--entry x"), 65, "fetch-unzip", "t.tsv")
        expectLabel("ham", try fetch("a/m.zip", "--entry t.tsv"))
        #expect(String(decoding: try folder.read("requests"), as: UTF8.self) == "/a/m.zip\n")
    }

    @Test(
        "links under the names that a download uses are replaced, not followed", arguments: ["ln -s", "ln"],
        ["", ".unchecked", ".unchecked.part", ".unchecked.part.etag"])
    func replacedLinks(command: String, ending: String) throws {
        expectLabel("ham", try fetch("a/m.zip"))
        let kept = try #require(try folder.names("c").first)
        let made = try shell(
            """
            rm c/*; echo '"v1"' > c/\(kept).unchecked.part.etag; echo '<html>precious' > victim; rm -f 'c/\(kept)\(ending)'
            \(command) "$PWD/victim" 'c/\(kept)\(ending)'
            """, in: folder.url)
        #expect(made.status == 0, "\(made.errors)")
        expectLabel("ham", try fetch("a/m.zip"))
        #expect(String(decoding: try folder.read("victim"), as: UTF8.self) == "<html>precious\n")
        #expect(try folder.names("c") == [kept])
    }

    @Test("a killed run's download is resumed, and its lock blocks nobody")
    func killedDownload() throws {
        try folder.write("hold", "")
        let killed = try shell(
            """
            fetch-unzip -q --cache c \(server.address("a/m.zip")) & run=$!
            while ! [ -s c/*.part ]; do sleep 0.02; done
            kill -KILL $run; rm hold; ls -A c | grep -c lock
            """, in: folder.url)
        #expect(killed.text == "1\n")
        expectLabel("ham", try fetch("a/m.zip"))
        let requests = String(decoding: try folder.read("requests"), as: UTF8.self)
        #expect(requests.hasPrefix("/a/m.zip\n/a/m.zip bytes="), "\(requests)")
        #expect(try folder.names("c").count == 1)
    }

    @Test(
        "a killed run without --cache leaves no temporary files, whatever its source [B41]",
        arguments: ["- < pipe", "ADDRESS"])
    func noTemporaryFiles(source: String) throws {
        let source = source.replacing("ADDRESS", with: server.address("a/m.zip"))
        try folder.write("hold", "")
        let result = try shell(
            """
            mkdir tmp; mkfifo pipe; (exec 3> pipe; cat a/m.zip >&3; exec sleep 10) & feeder=$!
            TMPDIR=$PWD/tmp fetch-unzip -q \(source) & run=$!
            for i in $(seq 100); do
              [ -e /proc ] && ls -l /proc/$run/fd 2> /dev/null | grep -q "$PWD/tmp" && break; sleep 0.05
            done
            kill -KILL $run; kill $feeder; find tmp | wc -l
            """, in: folder.url)
        #expect(result.text.trimmingCharacters(in: .whitespacesAndNewlines) == "1", "\(result.text)\(result.errors)")
    }
}
