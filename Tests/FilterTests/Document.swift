// A Markdown file of the project, as far as tests read it.

import Foundation
import Testing

/// The root of the repository.
let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

struct Document: CustomTestStringConvertible {
    /// A fenced block: the word after the fence, and the lines in it.
    struct Block {
        let language: String
        let text: String
    }

    /// Relative to the repository.
    let path: String
    let blocks: [Block]
    /// Everything that isn't in a block.
    let prose: String

    var testDescription: String { path }

    /// Those that are written for users: README.md and docs/*.md.
    static func forUsers() throws -> [Document] {
        let names = try FileManager.default.contentsOfDirectory(atPath: repository.appendingPathComponent("docs").path)
        let paths = names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
        return try (["README.md"] + paths).map { try Document($0) }
    }

    init(_ path: String) throws {
        self.path = path
        let text = try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
        var blocks: [Block] = []
        var prose: [Substring] = []
        var open: (language: String, lines: [Substring])?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("```") else {
                if open == nil { prose.append(line) } else { open?.lines.append(line) }
                continue
            }
            if let block = open {
                blocks.append(Block(language: block.language, text: block.lines.joined(separator: "\n") + "\n"))
                open = nil
            } else {
                open = (String(line.dropFirst(3)), [])
            }
        }
        self.blocks = blocks
        self.prose = prose.joined(separator: "\n")
    }

    /// The targets of all links but those to other sites.
    var relativeLinks: [String] {
        prose.matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) }.filter { !$0.contains("://") }
    }

    /// What a link to a heading may be called, as GitHub makes it of the heading.
    var anchors: Set<String> {
        Set(
            prose.matches(of: /(?m)^#+ (.+)$/).map { match in
                String(
                    match.1.lowercased().replacing(" ", with: "-")
                        .filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" })
            })
    }

    /// Command lines and options: the code in running text, and the lines of blocks, continued ones joined.
    var code: [String] {
        prose.replacing("\n", with: " ").matches(of: /`([^`]+)`/).map { String($0.1) }
            + blocks.flatMap { block in
                block.text.replacing("\\\n", with: " ").split(separator: "\n").map(String.init)
            }
    }
}
