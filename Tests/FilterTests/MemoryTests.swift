// Filters in address spaces that are too small for them: 71 and one line, or the work done; never a signal, nor a wait for
// threads that can't be had.

import Foundation
import Testing

struct MemoryTests {
    @Test(
        "within any memory limit the work is done, or 71 names the need",
        arguments: [
            "score --threads 2 --model model --input ndjson all.ndjson >o",
            "\(TinyModel.finetune) --trainable last-1 --threads 2 --force --out new <all.st >o",
        ])
    func limitedMemory(_ command: String) throws {
        let folder = try TinyModel.shared().workspace()
        let tool = command.prefix { $0 != " " }
        let least = try shell(
            "v=40000; until (ulimit -v $v; \(tool) --version) >o 2>&1 || grep -q memory: o; do v=$((v + 1000)); done; echo $v",
            in: folder.url)
        let start = try #require(Int(least.text.trimmingCharacters(in: .whitespacesAndNewlines)))
        var codes: [Int32] = []
        for more in Array(stride(from: 0, through: 90_000, by: 6_000)) + [120_000, 170_000] {
            let result = try shell("ulimit -v \(start + more); timeout 60 \(command)", in: folder.url)
            codes.append(result.status)
            #expect([0, 71].contains(result.status), "\(start + more): \(result.status) \(result.errors)")
            #expect(result.errorLines.count == (result.status == 0 ? 0 : 1), "\(start + more): \(result.errors)")
            if result.status == 71 { #expect(result.errors.hasPrefix("\(tool): memory: "), "\(result.errors)") }
        }
        #expect(codes.first == 71 && codes.last == 0, "\(codes)")
        #expect(try folder.names().filter { $0.hasSuffix(".partial") || $0.hasSuffix(".lock") }.isEmpty)
    }

    @Test("tokens that outgrow the memory end with one line, and so do tokenizers that are too large")
    func tokens() throws {
        let folder = try TinyModel.shared().workspace()
        let many = try shell(
            """
            yes '{"text":"a b c d e f g h i j k l m n o p q r s t u v w x y z","label":"x"}' | head -n 400000 >many
            ulimit -v 120000; tokenize-pad --tokenizer tok many >/dev/null
            """, in: folder.url)
        #expect(many.status == 71 && many.errorLines.count == 1, "\(many.errors)")
        #expect(many.errors.contains("tokenize-pad: many:") && many.errors.contains("out of memory"), "\(many.errors)")
        for file in ["vocab.json", "merges.txt"] {
            let large = try shell(
                "cp -r tok large; truncate -s 257M large/\(file) && tokenize-pad --tokenizer large all.ndjson; s=$?; rm -r large; exit $s",
                in: folder.url)
            #expect(
                large.status == 65 && large.errors.contains("\(file): the file is larger than 256 MiB"),
                "\(large.errors)")
        }
    }
}
