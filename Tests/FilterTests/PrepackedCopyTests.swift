// The prepacked copy of the weights: score --prepack.

import Foundation
import TestSupport
import Testing

struct PrepackedCopyTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    private static let copy = "model/prepacked.safetensors"
    private static let score = "score --model model --input ndjson all.ndjson"

    private func shell(_ command: String) throws -> FilterResult { try FilterTests.shell(command, in: folder.url) }

    private func expectScored(_ command: String) throws {
        let result = try shell(command)
        #expect(result.status == 0 && result.errors.isEmpty, "\(command): \(result.errors)")
        #expect(result.output == (try folder.read("scored.ndjson")), "\(command)")
    }

    @Test("scores are the same byte for byte without a copy, while it is written, and with it; nothing else writes one")
    func sameScores() throws {
        try expectScored(Self.score)
        #expect(try !folder.names("model").contains("prepacked.safetensors"))
        try expectScored("\(Self.score) --prepack")
        let written = try folder.read(Self.copy)
        try expectScored(Self.score)
        try expectScored("\(Self.score) --verify")
        try expectScored("\(Self.score) --prepack --threads 1")
        #expect(try folder.read(Self.copy) == written)
        // With another number type the copy isn't of use.
        let rounded = try shell(
            """
            \(Self.score) --precision bf16 >with && rm \(Self.copy) && \(Self.score) --precision bf16 | cmp - with
            """)
        #expect(rounded.status == 0, "\(rounded.errors)")
    }

    @Test("a copy of other weights isn't read, and --prepack replaces it")
    func otherWeights() throws {
        try expectScored("\(Self.score) --prepack")
        let written = try folder.read(Self.copy)
        // The same weights, as another file.
        _ = try shell("touch -t 200101010000 model/model.safetensors; printf 'no copy' >>\(Self.copy)")
        try expectScored(Self.score)
        try expectScored("\(Self.score) --prepack")
        let replaced = try folder.read(Self.copy)
        #expect(replaced != written && replaced.count < written.count + 64)
        // What another file's copy says isn't believed, whatever it holds.
        var other = replaced
        for place in other.count - 64..<other.count { other[place] = 0x7F }
        try folder.write(Self.copy, other)
        _ = try shell("touch model/model.safetensors")
        try expectScored(Self.score)
    }

    @Test("a damaged copy is noticed with --verify, before any output; a file that is none is left out")
    func damagedCopy() throws {
        try expectScored("\(Self.score) --prepack")
        var damaged = try folder.read(Self.copy)
        damaged[damaged.count - 200] ^= 1
        try folder.write(Self.copy, damaged)
        let result = try shell("\(Self.score) --verify")
        expectFailure(
            result, 65, "score", "model/prepacked.safetensors: the prepacked copy of the weights isn't what was written"
        )
        #expect(result.output.isEmpty)
        // It is removed, so that the next run goes well; in a model without a checksum, too.
        #expect(try !folder.names("model").contains("prepacked.safetensors"))
        _ = try shell(#"sed -i -E 's/"weights_sha256":"[0-9a-f]*",//' model/config.json"#)
        try expectScored("\(Self.score) --prepack")
        damaged = try folder.read(Self.copy)
        damaged[damaged.count - 200] ^= 1
        try folder.write(Self.copy, damaged)
        expectFailure(try shell("\(Self.score) --verify"), 65, "score", "it was removed: run again")
        for bytes in [Data(damaged.prefix(100)), Data("{}".utf8), Data()] {
            try folder.write(Self.copy, bytes)
            try expectScored(Self.score)
        }
        _ = try shell("rm \(Self.copy); mkfifo \(Self.copy)")
        try expectScored(Self.score)
    }

    @Test("what a killed process left behind is removed when a copy is written")
    func leftovers() throws {
        _ = try shell("for n in 0 1; do touch model/.prepacked.safetensors.$(sh -c 'echo $$')-$n.partial; done")
        try expectScored("\(Self.score) --prepack")
        #expect(try folder.names("model").filter { $0.hasPrefix(".") }.isEmpty)
    }

    @Test("where no copy can be kept, one line says so, and the texts are scored")
    func notKept() throws {
        let int8 = try shell("\(Self.score) --prepack --precision int8 --check 0")
        #expect(int8.status == 0 && int8.lines.count > 1)
        #expect(
            int8.errorLines.count == 1
                && int8.errors.contains("model: weights of this precision can't be kept prepacked"),
            "\(int8.errors)")
        _ = try shell("mkdir \(Self.copy)")
        let folderInPlace = try shell("\(Self.score) --prepack")
        #expect(try folderInPlace.status == 0 && folderInPlace.output == folder.read("scored.ndjson"))
        #expect(
            folderInPlace.errors.hasPrefix("score: model/prepacked.safetensors: ")
                && folderInPlace.errors.hasSuffix(": the weights aren't kept prepacked\n")
                && folderInPlace.errorLines.count == 1, "\(folderInPlace.errors)")
        #expect(try folder.names("model").filter { $0.hasPrefix(".") }.isEmpty)
    }
}
