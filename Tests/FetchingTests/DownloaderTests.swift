import Foundation
import Records
import TestSupport
import Testing

import Fetching

private let openssl = PythonServer.program("openssl")

@Suite(.enabled(if: PythonServer.python != nil, "needs python3 for a web server on loopback"))
struct DownloaderTests {
    private let server: PythonServer
    private let folder: Folder
    private var path: String { folder.path + "/file" }

    init() throws {
        server = try LoopbackServer.start()
        folder = try Folder()
    }

    private func download(_ name: String, maximum: Int = 1 << 20, stall: Int = 60) throws(FetchError) {
        try Downloader(stallSeconds: stall, maximumBytes: maximum).download(server.address(name), to: path)
    }

    @Test("a file arrives, also through a redirect", arguments: ["ok", "moved"])
    func arrival(name: String) throws {
        try download(name)
        #expect(FileManager.default.contents(atPath: path) == LoopbackServer.content)
        #expect(try folder.names() == ["file"])
    }

    @Test(
        "a download cut short gives 75, and the next run completes it [B22] [B23] [B24]",
        arguments: ["cut", "changed", "beyond", "star"])
    func resumedDownload(name: String) throws {
        let error = try #require(throws: FetchError.self) { try download(name) }
        #expect(error.diagnosis.status == .temporaryFailure && error.description.contains("short by"))
        #expect(error.diagnosis.remedy == "run it again to resume")
        #expect(try folder.names() == ["file.part", "file.part.etag"])
        try download(name)
        let expected = name == "changed" ? Data(LoopbackServer.content.reversed()) : LoopbackServer.content
        #expect(FileManager.default.contents(atPath: path) == expected)
        #expect(try folder.names() == ["file"])
    }

    @Test("a part that ends before the file does gives 75, and the next run goes on behind it [B24]")
    func shortRange() throws {
        for missing in [60_000, 30_000] {
            let error = try #require(throws: FetchError.self) { try download("short") }
            #expect(error == .cutShort(address: server.address("short"), missing: missing, canResume: true))
            #expect(error.diagnosis.status == .temporaryFailure)
            #expect(try folder.names() == ["file.part", "file.part.etag"])
        }
        try download("short")
        #expect(FileManager.default.contents(atPath: path) == LoopbackServer.content)
        #expect(try folder.names() == ["file"])
    }

    @Test("a partial answer for other bytes is never appended [B24]")
    func wrongRange() throws {
        for _ in 0..<2 { #expect(throws: FetchError.self) { try download("lie") } }
        try download("lie")
        #expect(FileManager.default.contents(atPath: path) == LoopbackServer.content)
    }

    @Test("an endless body stops at the limit, and nothing is kept [B25]")
    func endlessBody() throws {
        let error = try #require(throws: FetchError.self) { try download("endless") }
        #expect(error.diagnosis.status == .badData && error.description.contains("more than "))
        #expect(try folder.names().isEmpty)
        #expect(throws: FetchError.self) { try download("ok", maximum: 99_999) }
    }

    @Test(
        "redirects to files, in circles and to nothing are refused [B26]",
        arguments: ["file", "loop", "raw-nowhere", "raw-blank"])
    func badRedirects(name: String) throws {
        let error = try #require(throws: FetchError.self) { try download(name) }
        #expect(error.diagnosis.status == .protocolError, "\(error)")
        #expect(try folder.names().isEmpty)
    }

    @Test("a certificate that doesn't hold gives 69 [B27]", .enabled(if: openssl != nil, "needs openssl"))
    func badCertificate() throws {
        let request = Process()
        request.executableURL = URL(filePath: try #require(openssl))
        request.currentDirectoryURL = folder.url
        request.standardError = FileHandle.nullDevice
        request.arguments =
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout key.pem -out certificate.pem"
            .split(separator: " ").map(String.init)
        try request.run()
        request.waitUntilExit()
        let server = try LoopbackServer.startWithTLS(in: folder)
        let error = try #require(throws: FetchError.self) {
            try Downloader().download(server.address("ok"), to: path)
        }
        #expect(error.diagnosis.status == .unavailable && error.description.contains("certificate"), "\(error)")
        #expect(try folder.names() == ["certificate.pem", "key.pem"])
    }

    @Test("an error status gives 69, and its page isn't saved [B28]", arguments: [404, 500])
    func errorStatus(code: Int) throws {
        let error = try #require(throws: FetchError.self) { try download("status-\(code)") }
        #expect(error.diagnosis.status == .unavailable && error.description.contains("\(code)"))
        #expect(try folder.names().isEmpty)
    }

    @Test("a password in an address is never printed [B28]")
    func passwordInAddress() {
        #expect(WebAddress.redacted("https://me:secret@host/a@b?c") == "https://…@host/a@b?c")
        #expect(WebAddress.redacted("https://host/a@b") == "https://host/a@b")
    }

    @Test("an answer that isn't HTTP is reported as such", arguments: ["garbage", "status", "headless", "ssh"])
    func notHTTP(kind: String) throws {
        let error = try #require(throws: FetchError.self) { try download("raw-\(kind)") }
        #expect(error.diagnosis.status == .protocolError && error.description.contains("isn't HTTP"), "\(error)")
        #expect(try folder.names().isEmpty)
    }

    @Test("a part that wasn't asked for, or an unknown encoding, gives 76", arguments: ["part", "br"])
    func unrequestedEncoding(name: String) throws {
        let error = try #require(throws: FetchError.self) { try download(name) }
        #expect(error.diagnosis.status == .protocolError && error.description.contains("asked for"), "\(error)")
    }

    @Test("a scheme in capitals is the same scheme")
    func schemeInCapitals() throws {
        try Downloader().download(server.address("ok").replacing("http:", with: "HTTP:"), to: path)
        #expect(FileManager.default.contents(atPath: path) == LoopbackServer.content)
    }

    @Test(
        "a body in chunks or compressed arrives, and gives 75 when it is cut",
        arguments: ["chunks", "gzip"])
    func chunkedBody(name: String) throws {
        let error = try #require(throws: FetchError.self) { try download(name) }
        #expect(error.diagnosis.status == .temporaryFailure && error.description.contains("short by"), "\(error)")
        try download(name)
        #expect(FileManager.default.contents(atPath: path) == LoopbackServer.content)
        #expect(try folder.names() == ["file"])
    }

    @Test("a download that only trickles counts as stalled, and every download has a time limit")
    func tricklingDownload() throws {
        let slow = try #require(throws: FetchError.self) { try download("trickle", stall: 1) }
        #expect(slow.diagnosis.status == .temporaryFailure && slow.description.contains("stalled: only"), "\(slow)")
        let late = try #require(throws: FetchError.self) {
            try Downloader(minimumRate: 1, maximumSeconds: 1).download(server.address("trickle"), to: path)
        }
        #expect(late == .tooSlow(address: server.address("trickle"), seconds: 1, canResume: false))
        #expect(late.diagnosis.status == .temporaryFailure)
        // The server names no version of the file, so there is nothing to resume.
        for error in [slow, late] { #expect(error.diagnosis.remedy == "run it again") }
    }

    @Test("a stalled download gives 75 [B29]")
    func stalledDownload() throws {
        let error = try #require(throws: FetchError.self) { try download("stall", stall: 1) }
        #expect(error.diagnosis.status == .temporaryFailure, "\(error)")
    }

    @Test("an unreachable server gives 69, and a malformed address 64")
    func unreachableServer() throws {
        let none = try #require(throws: FetchError.self) {
            try Downloader().download("http://127.0.0.1:1/x", to: path)
        }
        #expect(none.diagnosis.status == .unavailable)
        for address in ["file:///etc/hostname", "ftp://x/y", "http://", "nothing"] {
            #expect(throws: FetchError.invalidAddress(address)) { try Downloader().download(address, to: path) }
        }
    }
}
