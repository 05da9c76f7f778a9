// score as a process (group F, 79–86): every line is answered, in order, the same however the input is cut.

import Foundation
import TestSupport
import Testing

struct ScoreTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    @Test("a model cut while it is in use gives 74, not a crash [F79]")
    func cutModelInUse() throws {
        let result = try shell(
            """
            mkfifo pipe; score --model model --line-buffered <pipe >scores & exec 3>pipe; echo one >&3
            while [ ! -s scores ]; do sleep 0.05; done
            truncate -s 100 model/model.safetensors; echo two >&3; exec 3>&-; wait $!
            """, in: folder.url)
        expectFailure(result, 74, "score", "cut short")
        #expect(try folder.read("scores").last == 0x0A)
    }

    @Test("ten thousand lines give ten thousand answers in order, however they are cut [F81] [F83]")
    func manyLines() throws {
        let words = ["win", "a", "prize", "lunch", "milk", "déjà", "👍", "holiday", "now", "call"]
        let lines = (0..<10_000).map { number in
            number % 97 == 0
                ? "" : (0..<number % 9 + 1).map { words[(number * 7 + $0 * 3) % words.count] }.joined(separator: " ")
        }
        try folder.write("lines", lines.map { $0 + "\n" }.joined())
        let whole = try shell("score --quiet --model model lines | tee whole", in: folder.url)
        #expect(whole.status == 0 && whole.lines.count == 10_000 && whole.errors.isEmpty)
        for (index, line) in whole.lines.enumerated() where index % 499 == 0 {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["line"] as? Int == index + 1)
            #expect(object?["text"] as? String == lines[index])
        }
        // Other windows, other neighbours, another number of threads: the same bytes.
        let chunked = try shell(
            """
            for size in 1 10 489 2500 7000; do tail -n +$((first + 1)) lines | head -n $size | score -q --model model
            first=$((first + size)); done | sed 's/"line":[0-9]*/"line":0/' >chunked
            sed 's/"line":[0-9]*/"line":0/' whole | cmp - chunked
            score -q --model model --threads 1 lines | cmp - whole; score -q --model model --threads 3 lines | cmp - whole
            score -q --model model --line-buffered lines | cmp - whole; cat lines | score -q --model model | cmp - whole
            """, in: folder.url)
        #expect(chunked.output.isEmpty && chunked.errors.isEmpty && chunked.status == 0, "\(chunked.text)")
    }

    @Test("a text's score doesn't depend on the texts beside it [F83]")
    func batchInvariance() throws {
        try folder.write(
            "lines", (0..<40).map { "win \($0) " + String(repeating: "milk ", count: $0 % 13) + "\n" }.joined())
        let result = try shell(
            """
            while IFS= read -r line; do printf '%s\\n' "$line" | score -q --model model; done <lines \\
              | sed 's/"line":[0-9]*//' >single
            score -q --model model lines | sed 's/"line":[0-9]*//' | cmp - single
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty && result.output.isEmpty)
    }

    @Test("one bad line of many is an error record in its place, and 65 at the end [F82]")
    func oneBadLine() throws {
        let result = try shell(
            """
            (cat all.ndjson all.ndjson; echo '{"text":'; echo '{"text":7}'; cat all.ndjson) \
              | score --model model --input ndjson
            """, in: folder.url)
        expectFailure(result, 65, "score", "2 of 182 lines could not be scored")
        #expect(result.lines.count == 182)
        #expect(
            result.lines[120].hasPrefix(#"{"line":121,"error":"#)
                && result.lines[121].hasPrefix(#"{"line":122,"error":"#))
        #expect(result.lines.filter { $0.contains("\"probability\":") }.count == 180)
    }

    @Test("a line beyond --max-line is an error record, and the next one is scored [A16] [F82]")
    func longLine() throws {
        let input = Data("short\n\(String(repeating: "x", count: 300_000))\nlast\n".utf8)
        let result = try shell("score --model model --max-line 1000", input: input, in: folder.url)
        expectFailure(result, 65, "score", "1 of 3 lines")
        #expect(result.lines.count == 3 && result.lines[1].contains("longer than 1000 bytes"))
        #expect(result.lines[2].contains(#""line":3"#))
    }

    @Test("a line is answered before the next one arrives [F84]")
    func lineBuffered() throws {
        let result = try shell(
            """
            (echo hi; for i in $(seq 300); do test -e answered || sleep 0.1; done; test -e answered || echo late >&2) \
              | score --model model --line-buffered | (head -1; touch answered)
            """, in: folder.url)
        #expect(result.lines.count == 1 && result.text.contains(#""text":"hi""#) && result.errors.isEmpty)
    }

    @Test("a slow reader loses nothing [F85]")
    func slowReader() throws {
        let result = try shell(
            "for i in $(seq 100); do cat all.ndjson; done | score --model model --input ndjson | (sleep 1; wc -l)",
            in: folder.url)
        #expect(result.text.trimmingCharacters(in: .whitespacesAndNewlines) == "6000")
    }

    @Test("killed at any write, every complete line is JSON [F86]", .enabled(if: exists("strace"), "needs strace"))
    func killedAtAnyWrite() throws {
        for call in 1...3 {
            let result = try shell(
                """
                for i in $(seq 100); do cat all.ndjson; done | strace -f -o trace -P $PWD/scores \\
                  -e inject=write:signal=KILL:when=\(call) score --model model --input ndjson >scores 2>/dev/null
                echo $? >status; cat scores
                """, in: folder.url)
            #expect(try folder.read("status") == Data("137\n".utf8), "write \(call)")
            #expect(call == 1 || result.lines.count > 1000)
            #expect(result.output.isEmpty || result.output.last == 0x0A)
            #expect(result.lines.allSatisfy { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) != nil })
        }
    }

    @Test("records taken for text are noted once, and token shards are refused")
    func wrongInputKind() throws {
        let texts = try shell("score --model model all.ndjson", in: folder.url)
        #expect(texts.status == 0 && texts.lines.count == 60)
        #expect(texts.errors.hasPrefix("score: line 1 begins like JSON: --input ndjson?\n"))
        for quiet in [
            "score --model model --input ndjson all.ndjson", "score -q --model model all.ndjson",
            "echo '{smile} {' | score --model model",
        ] {
            #expect(try !shell(quiet, in: folder.url).errors.contains("begins like"))
        }
        // A header of 2,560 bytes and more has a line feed in its length.
        let long = String(repeating: "x", count: 2_100)
        _ = try shell("tokenize-pad -q --tokenizer tok --labels ham,spam,\(long) all.ndjson >long.st", in: folder.url)
        #expect(try folder.read("long.st")[1] == 0x0A)
        for input in ["all.st", "long.st", "--line-buffered all.st", "--input ndjson all.st"] {
            let shards = try shell("score --model model \(input)", in: folder.url)
            expectFailure(shards, 65, "score", "it begins like token shards, not like text: ")
            #expect(shards.output.isEmpty)
        }
    }

    @Test("impossible thresholds are usage errors")
    func impossibleThresholds() throws {
        for (threshold, words) in [("spam", "LABEL=PROB"), ("eggs=0.5", "no label 'eggs'"), ("spam=nan", "LABEL=PROB")]
        {
            expectFailure(
                try shell("score --model model --threshold \(threshold)", in: folder.url), 64, "score", words)
        }
    }

    @Test("evaluate reports which record lacks which label")
    func missingLabel() throws {
        let records = [#"{"label":"ham"}"#: "no \"expected\"", #"{"expected":"ham"}"#: "no \"label\"", "{": "JSON"]
        for (record, words) in records {
            let result = try shell("(head -3 scored.ndjson; echo '\(record)') | evaluate", in: folder.url)
            expectFailure(result, 65, "evaluate", words)
            #expect(result.errors.hasPrefix("evaluate: stdin:4: ") && result.output.isEmpty)
        }
    }

    @Test("the label's key may be that of the expected label, and --exit-status reads a text as score does")
    func keys() throws {
        let folder = try TinyModel.shared().workspace()
        let result = try shell(
            """
            echo '{"text":"win","expected":"ham"}' | score --model model --input ndjson --label-field expected | jq -r .expected
            printf '\\357\\273\\277win a prize\\n' | score --model model | jq -c .probabilities >a
            printf '\\357\\273\\277win a prize\\n' | score --model model --exit-status spam | jq -c .probabilities | cmp a -; echo $?
            printf 'win \\377 it' | score --model model --exit-status spam 2>&1 >/dev/null
            printf '%090d' 1 | score --model model --exit-status spam --max-line 100 >b; wc -l <b
            score --model model --first-line 9223372036854775807 all.ndjson; echo $?
            """, in: folder.url)
        #expect(
            result.lines == ["ham", "0", "score: bytes that are not UTF-8, read as U+FFFD", "1", "64"],
            "\(result.text)\(result.errors)")
    }
}
