import Foundation
import Records
import TestSupport
import Testing

struct OutputTests {
    private let place: Folder
    private var folder: String { place.path }

    init() throws { place = try Folder() }

    private func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    @Test("a file is there only after commit, and nothing else is left")
    func atomicFile() throws {
        try Directory.create(folder + "/a/b")
        let path = folder + "/a/b/x"
        do {
            let file = try AtomicFile(path: path)
            try file.sink.write("half")
        }
        #expect(try names(folder + "/a/b").isEmpty)
        let file = try AtomicFile(path: path)
        try file.sink.write("whole")
        #expect(!FileManager.default.fileExists(atPath: path))
        try file.commit()
        #expect(try names(folder + "/a/b") == ["x"])
        #expect(throws: StreamError.notRegularFile(path: folder)) { try AtomicFile(path: folder) }
        #expect(throws: StreamError.notRegularFile(path: "/dev/null")) { try AtomicFile(path: "/dev/null") }
        let missing = try #require(throws: StreamError.self) { try AtomicFile(path: folder + "/no/x") }
        #expect(missing.diagnosis.status == .cannotCreate)
    }

    @Test("a directory appears whole or not at all, and keeps its other files", arguments: [false, true])
    func atomicDirectory(exists: Bool) throws {
        try Directory.create(folder + (exists ? "/out" : ""))
        if exists { try Data("old".utf8).write(to: URL(fileURLWithPath: folder + "/out/keep")) }
        do {
            let directory = try AtomicDirectory(path: folder + "/out")
            try directory.file("a").write("1")
        }
        #expect(try names(folder) == (exists ? ["out"] : []))
        let directory = try AtomicDirectory(path: folder + "/out")
        try directory.file("a").write("1")
        try directory.file("b").write("2")
        #expect(FileManager.default.fileExists(atPath: folder + "/out/a") == false)
        try directory.commit()
        #expect(try names(folder + "/out") == (exists ? ["a", "b", "keep"] : ["a", "b"]))
        #expect(try names(folder) == ["out"])
    }

    @Test("a directory that somebody makes meanwhile is replaced, and its files are kept")
    func concurrentDirectory() throws {
        let directory = try AtomicDirectory(path: folder + "/out")
        try directory.file("a").write("1")
        try Directory.create(folder + "/out")
        try Data("old".utf8).write(to: URL(fileURLWithPath: folder + "/out/keep"))
        try directory.commit()
        #expect(try names(folder + "/out") == ["a", "keep"])
        #expect(try names(folder) == ["out"])
    }

    @Test("an output has one lock under all its names", arguments: [false, true])
    func lockNames(exists: Bool) throws {
        try Directory.create(folder + (exists ? "/a/out" : "/a"))
        try FileManager.default.createSymbolicLink(atPath: folder + "/b", withDestinationPath: "a")
        var others = ["/a/./out", "/a/out/", "/b/out", "/b/../a/out"]
        if exists {
            try FileManager.default.createSymbolicLink(atPath: folder + "/c", withDestinationPath: "a/out")
            others += ["/c", "/c/."]
        }
        let lock = try OutputLock(path: folder + "/a/out")
        for other in others {
            let error = try #require(throws: StreamError.self, "\(other)") { try OutputLock(path: folder + other) }
            #expect(error.diagnosis.status == .temporaryFailure)
        }
        _ = try OutputLock(path: folder + "/a/another")
        withExtendedLifetime(lock) {}
    }

    @Test("the lock of a killed process is taken over and leaves nothing")
    func staleLock() throws {
        try Data("12345\n".utf8).write(to: URL(fileURLWithPath: folder + "/.out.lock"))
        _ = try OutputLock(path: folder + "/out")
        #expect(try names(folder).isEmpty)
    }

    @Test("directories and missing files as input are errors [A5]")
    func badInputs() throws {
        #expect(throws: StreamError.isDirectory(source: "/")) { try ByteSource(path: "/") }
        #expect(throws: StreamError.notFound(source: "/no")) { try ByteSource(path: "/no") }
    }

    @Test("control characters never reach the terminal, and a message is one line")
    func printedText() {
        let diagnosis = Diagnosis(
            source: "a\u{1B}[2J\nb", position: .line(3), problem: "p\u{202E}", remedy: "r", status: .badData)
        #expect(diagnosis.message == "a\\u{1B}[2J\\nb:3: p\\u{202E}: r")
    }
}
