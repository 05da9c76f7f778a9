// Whether README.md and docs/ are true, as far as a program can tell.

import Foundation
import Testing

struct DocumentationTests {
    private static let filters = [
        "fetch-unzip", "balance", "split", "train-tokenizer", "tokenize-pad", "pretrain", "finetune", "score",
        "generate", "calibrate", "suspects", "explain", "evaluate", "fetch-model", "convert-model", "baseline",
        "report",
    ]

    @Test("every relative link leads to a file, and to the heading that it names", arguments: try Document.forUsers())
    func links(document: Document) throws {
        let folder = (document.path as NSString).deletingLastPathComponent
        for link in document.relativeLinks {
            let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let path = parts[0].isEmpty ? document.path : (folder as NSString).appendingPathComponent(parts[0])
            let file = repository.appendingPathComponent(path)
            #expect(FileManager.default.fileExists(atPath: file.path), "\(document.path): \(link)")
            guard parts.count > 1, path.hasSuffix(".md") else { continue }
            let target = try Document((path as NSString).standardizingPath)
            #expect(target.anchors.contains(parts[1]), "\(document.path): \(link)")
        }
    }

    @Test("every source file that is named is there", arguments: try Document.forUsers())
    func sourceFiles(document: Document) throws {
        let files = try shell("git ls-files '*.swift' || find . -name '*.swift'", in: repository).lines
        for code in document.code where code.hasSuffix(".swift") && !code.contains(" ") {
            #expect(files.contains { "/\($0)".hasSuffix("/\(code)") }, "\(document.path): \(code)")
        }
    }

    @Test("every option that a command line shows is one of its filter", arguments: try Document.forUsers())
    func options(document: Document) throws {
        let options = try Dictionary(uniqueKeysWithValues: Self.filters.map { ($0, try Self.options(of: $0)) })
        for code in document.code {
            for command in Self.commands(code) {
                guard let known = options[command.name] else { continue }
                for option in command.options {
                    #expect(known.contains(option), "\(document.path): \(command.name) has no \(option): \(code)")
                }
            }
        }
    }

    @Test("every option that stands alone is one of some filter", arguments: try Document.forUsers())
    func optionsAlone(document: Document) throws {
        let all = try Set(Self.filters.flatMap { try Self.options(of: $0) })
        for code in document.code where code.hasPrefix("--") {
            for word in Self.options(in: code) {
                #expect(all.contains(word), "\(document.path): no filter has \(word)")
            }
        }
    }

    /// The options that `filter --help` lists.
    private static func options(of filter: String) throws -> Set<String> {
        let help = try shell("\(filter) --help").text
        let listed = help.matches(of: /(?m)^  (?:-\w, )?(--[a-z0-9-]+)/).map { String($0.1) }
        try #require(listed.contains("--quiet"), "\(filter): \(help)")
        return Set(listed)
    }

    /// The words of a command line that are long options, without their values.
    private static func options(in code: some StringProtocol) -> [String] {
        String(code).matches(of: /(?:^|[\s(\[])(--[a-z][a-z0-9-]*)/).map { String($0.1) }
    }

    /// The simple commands of a line of shell: the last part of their path, and their options.
    private static func commands(_ line: String) -> [(name: String, options: [String])] {
        let plain = line.replacing(/'[^']*'|"[^"]*"/, with: "x")
        return plain.split(whereSeparator: { "|;&()".contains($0) }).compactMap { part in
            let words = part.split(separator: " ").drop { $0 == "$" || $0 == "do" || $0.contains("=") }
            guard let name = words.first?.split(separator: "/").last else { return nil }
            return (String(name), options(in: part))
        }
    }
}
