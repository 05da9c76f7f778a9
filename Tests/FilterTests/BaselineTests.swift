// baseline as a process, and its models in score: alone, in a cascade, averaged.

import Foundation
import Records
import TestSupport
import Testing

struct BaselineTests {
    private let folder: Folder
    init() throws {
        folder = try TinyModel.shared().workspace()
        let made = try shell("baseline -q all.ndjson --out linear >linear.metrics", in: folder.url)
        #expect(made.status == 0 && made.errors.isEmpty && made.output.isEmpty, "\(made.errors)")
    }

    private func objects(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test("its model scores as GPT-2's does, in the same records, on any number of threads")
    func scores() throws {
        let metrics = try #require(try objects(shell("cat linear.metrics", in: folder.url).text).first)
        #expect(metrics["texts"] as? Int == 60 && metrics["out_of_fold_accuracy"] as? Double == 1)
        let result = try shell(
            """
            score -q --model linear --input ndjson all.ndjson | tee scores | jq -rc 'select(.label != .expected) | .id'
            score -q --model linear --threads 1 --input ndjson all.ndjson | cmp - scores
            score -q --raw --verify --model linear --input ndjson --line-buffered <all.ndjson | cmp - scores
            evaluate scores | grep -o '60 of 60'; jq -c 'keys' scores | sort | uniq -c
            echo win a prize | score -q --model linear --exit-status spam; echo lunch tomorrow | score --model linear --exit-status spam
            echo $?
            """, in: folder.url)
        #expect(result.errors.isEmpty, "\(result.errors)")
        #expect(
            result.lines.prefix(2) == [
                "60 of 60", #"     60 ["expected","id","label","line","probabilities","probability","text"]"#,
            ], "\(result.text)")
        #expect(result.lines.last == "1")
    }

    @Test("fastText's lines give the same model as records; a line without one label is an error")
    func fastText() throws {
        let result = try shell(
            """
            jq -r '"__label__\\(.label) \\(.text)"' all.ndjson >lines
            baseline -q --input fasttext lines --out other >/dev/null
            cmp linear/model.safetensors other/model.safetensors
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)\(result.text)")
        for (line, words) in [
            ("no label", "no __label__"), ("__label__a __label__b text", "this line has more than one label"),
        ] {
            try folder.write("bad", "__label__a one\n\(line)\n")
            expectFailure(
                try shell("baseline --input fasttext bad --out bad.model", in: folder.url), 65, "baseline",
                "bad:2: \(words)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/bad.model"))
    }

    @Test("in a cascade GPT-2 is asked where the linear model is unsure, and the answer says who gave it")
    func cascade() throws {
        let result = try shell(
            """
            score -q --model model --input ndjson all.ndjson | jq -c .probabilities >gpt2
            score -q --model linear --input ndjson all.ndjson | jq -c .probabilities >alone
            bound=$(jq -s 'map([.[]] | max) | unique | (length / 2 | floor) as $i | (.[$i - 1] + .[$i]) / 2' alone)
            score -q --model model --cascade linear --cascade-above $bound --input ndjson all.ndjson >both
            jq -c 'select(.by == "model") | .line' both >asked; wc -l <asked
            jq -c --argjson bound $bound 'select(([.[]] | max) < $bound) | input_line_number' alone | cmp - asked
            paste -d ' ' both gpt2 alone | jq -c 'if .by then (.by, .probabilities) else . end' | paste - - - - \\
              | awk -F'\\t' '($1 == "\\"model\\"" && $2 != $3) || ($1 == "\\"baseline\\"" && $2 != $4)'
            score -q --model model --cascade linear --cascade-above 0 --input ndjson all.ndjson | jq -r .by | sort | uniq -c
            score -q --model model --cascade linear --cascade-above 0.999999 --threshold spam=1 --input ndjson all.ndjson | jq -r .label | uniq
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.lines.count == 3, "\(result.text)")
        #expect(result.lines[1...] == ["     60 baseline", "ham"], "\(result.text)")
        let asked = Int(result.lines[0].trimmingCharacters(in: .whitespaces)) ?? 0
        #expect((1...59).contains(asked))
    }

    @Test("an average is the mean of log-probabilities, scaled to 1")
    func average() throws {
        let result = try shell(
            """
            score -q --model model --input ndjson all.ndjson | jq -c .probabilities >gpt2
            score -q --model linear --input ndjson all.ndjson | jq -c .probabilities >alone
            score -q --model model --average linear --average-share 0.25 --input ndjson all.ndjson | jq -c .probabilities >mean
            paste -d ' ' mean alone gpt2 | jq -n '[inputs] | _nwise(3) | . as [$mean, $a, $g]
              | ($a | map_values(log * 0.25)) as $p | ($g | map_values(log * 0.75)) as $q
              | ($p.ham + $q.ham | exp) as $x | ($p.spam + $q.spam | exp) as $y
              | $x / ($x + $y) - $mean.ham | if . < 0 then -. else . end' | sort -g | tail -1
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect((Double(result.text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 1) < 1e-6, "\(result.text)")
    }

    @Test("usage errors, unusable data, a damaged or foreign model are one line")
    func errors() throws {
        try folder.write("one", "{\"text\":\"a\",\"label\":\"x\"}\n")
        try folder.write("three", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"y\"}\n")
        let prepared = try shell(
            """
            baseline -q three --out three.model >/dev/null; cp -r linear bent; printf x >>bent/model.safetensors
            cp -r linear odd; sed -i 's/"temperature":[0-9.]*/"temperature":-1/' odd/config.json
            """, in: folder.url)
        #expect(prepared.status == 0, "\(prepared.errors)")
        for (command, status, words) in [
            ("baseline all.ndjson", 64, "--out"), ("baseline all.ndjson --out linear", 73, "--force"),
            ("baseline one --out a", 65, "all texts have the label 'x'"), ("baseline --out a", 65, "no records"),
            ("baseline all.ndjson --out a --folds 1", 64, "at least 2"),
            ("baseline all.ndjson --out a --cost 0", 64, "cost"),
            ("baseline none --out a", 66, "none"), ("score --model bent", 65, "bent/model.safetensors"),
            ("score --model odd", 78, "temperature"), ("score --model model --cascade model", 64, "baseline --out"),
            ("score --model linear --cascade linear", 64, "--model"),
            ("score --model model --cascade linear --average linear", 64, "one of"),
            ("score --model model --cascade-above 0.5", 64, "--cascade"),
            ("score --model model --average three.model", 78, "x, y"),
            ("score --model model --cascade nowhere", 66, "nowhere/config.json: no such file"),
            ("score --model linear --prepack", 64, "leave --precision and --prepack out"),
            ("explain --model linear", 78, "linear"),
        ] {
            let tool = command.hasPrefix("score") ? "score" : command.hasPrefix("explain") ? "explain" : "baseline"
            expectFailure(try shell("\(command) </dev/null", in: folder.url), Int32(status), tool, words)
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/a"))
    }

    @Test("every text is scored by a model that hasn't seen it, nor an equal one, in order")
    func outOfFold() throws {
        var generator = SeededGenerator(seed: 1)
        let texts = (0..<40).map { _ in String(generator.next(), radix: 36) }
        let labels = texts.map { _ in ["no", "yes"][generator.nextInteger(below: 2)] }
        let lines = zip(texts + texts, labels + labels).map { "{\"text\":\"\($0)\",\"label\":\"\($1)\"}\n" }
        try folder.write("twice", lines.joined())
        let result = try shell(
            """
            baseline -q all.ndjson --out again --out-of-fold scores | jq .out_of_fold_accuracy
            jq -s 'map(.label == .expected) | map(select(.)) | length / 60' scores; cmp again/config.json linear/config.json
            jq -c '[.line, .expected]' scores >got; jq -c '[input_line_number, .label]' all.ndjson | cmp - got
            jq -c keys scores | uniq; evaluate --bootstrap 0 scores | grep -o 'of 60 records'
            baseline -q twice --out twice.model --out-of-fold other | jq '.out_of_fold_accuracy < 0.8'
            jq -c .probabilities other | awk 'NR <= 40 { first[NR] = $0; next } first[NR - 40] != $0'
            """, in: folder.url)
        #expect(result.errors.isEmpty, "\(result.errors)")
        #expect(
            result.lines == [
                "1", "1", #"["expected","label","line","probabilities","probability"]"#, "of 60 records", "true",
            ], "\(result.text)")
    }

    @Test("a class with texts in one fold alone has no scores, and then nothing is written")
    func confined() throws {
        let prepared = try shell(
            "cat all.ndjson >rare; printf '%s\\n' '{\"text\":\"só\",\"label\":\"rare\"}' >>rare", in: folder.url)
        #expect(prepared.status == 0, "\(prepared.errors)")
        for (command, status, words) in [
            ("baseline rare --out rare.model --out-of-fold scores", 65, "rare: all texts of the label 'rare'"),
            ("baseline rare --out rare.model --out-of-fold model", 73, "model"),
            ("baseline rare --out rare.model --out-of-fold none/scores", 73, "none/scores"),
            ("baseline rare --out rare.model --out-of-fold rare", 64, "is the input"),
            ("baseline --out rare.model --out-of-fold rare <rare", 64, "is the input"),
            (
                "baseline all.ndjson --out linear --force --out-of-fold linear/config.json", 64,
                "linear/config.json belongs"
            ),
            ("baseline all.ndjson --out rare.model --out-of-fold ./rare.model", 64, "./rare.model belongs"),
            ("baseline all.ndjson --out rare.model --out-of-fold ''", 73, "''"),
            ("baseline all.ndjson --out rare.model --out-of-fold new/", 73, "new/"),
            ("baseline all.ndjson --out rare.model --out-of-fold mine >mine", 73, "mine: can't be created (stdout"),
        ] {
            expectFailure(try shell(command, in: folder.url), Int32(status), "baseline", words)
        }
        let left = try shell(
            "ls -A | grep -E 'rare.model|scores|partial'; baseline -q rare --out rare.model | jq .folds", in: folder.url
        )
        #expect(left.lines == ["5"], "\(left.text)\(left.errors)")
    }

    @Test("more folds than texts are as many as texts")
    func manyFolds() throws {
        let folder = try TinyModel.shared().workspace()
        let result = try shell(
            """
            head -n 8 all.ndjson | baseline -q --folds 100000000 --out linear | jq .folds
            jq '.training.folds' linear/config.json; grep -c 'one of 8' linear/README.md
            """, in: folder.url)
        #expect(result.lines == ["8", "8", "1"], "\(result.text)\(result.errors)")
    }
}
