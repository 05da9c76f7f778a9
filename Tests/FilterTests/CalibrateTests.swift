// calibrate as a process: validation scores in, decisions of a model out, which score applies.

import Foundation
import TestSupport
import Testing

struct CalibrateTests {
    private let folder: Folder

    init() throws {
        folder = try TinyModel.shared().workspace()
        // Texts of both kinds that the model hasn't seen, some of them with the other's label.
        let lines = (0..<80).map { i in
            let isSpam = i % 2 == 0
            let text = isSpam ? "free prize for you \(i)" : "dinner at home \(i)"
            let label = [3, 6].contains(i % 10) != isSpam ? "spam" : "ham"
            return "{\"label\":\"\(label)\",\"text\":\"\(text)\"}\n"
        }
        try folder.write("validation.ndjson", lines.joined())
        _ = try shell("score --raw --model model --input ndjson validation.ndjson >scores.ndjson", in: folder.url)
    }

    private func calibrate(_ options: String, _ scores: String = "scores.ndjson") throws -> FilterResult {
        try shell("calibrate \(options) model \(scores)", in: folder.url)
    }

    private func object(_ bytes: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    }

    @Test("a temperature alone changes probabilities and no label, and score --raw leaves it out")
    func temperature() throws {
        let raw = try shell("score --model model --input ndjson validation.ndjson", in: folder.url).text
        let fitted = try calibrate("")
        #expect(fitted.status == 0 && fitted.errors.isEmpty && fitted.text.contains("temperature "), "\(fitted.errors)")
        let decision = try object(folder.read("model/decision.json"))
        #expect(try #require(decision["temperature"] as? Double) != 1)
        let told = try #require(decision["fitted"] as? [String: Any])
        #expect(try #require(told["log_loss"] as? Double) < #require(told["log_loss_before"] as? Double))
        let scored = try shell("score --model model --input ndjson validation.ndjson", in: folder.url).text
        #expect(scored != raw)
        func labels(_ text: String) throws -> [String] {
            try text.split(separator: "\n").map { try #require(try object(Data($0.utf8))["label"] as? String) }
        }
        #expect(try labels(scored) == labels(raw))
        #expect(try shell("score --raw --model model --input ndjson validation.ndjson", in: folder.url).text == raw)
        #expect(
            try shell(
                "score --model model --input ndjson validation.ndjson | evaluate --format json | jq .log_loss",
                in: folder.url
            ).text
                < shell("evaluate --format json scores.ndjson | jq .log_loss", in: folder.url).text)
    }

    @Test("a threshold decides the label, and what so few records can't promise is told")
    func threshold() throws {
        let fitted = try calibrate("--positive spam --max-fpr 0.001")
        #expect(fitted.status == 0 && fitted.errors.contains("the rate may be up to "), "\(fitted.errors)")
        #expect(fitted.errors.contains("to promise 0.1 % takes 2995 others"))
        let json = try object(folder.read("model/decision.json"))
        let threshold = try #require(json["threshold"] as? [String: Any])
        let probability = try #require(threshold["probability"] as? Double)
        for line in try shell("score --model model --input ndjson validation.ndjson", in: folder.url).lines {
            let scored = try object(Data(line.utf8))
            let p = try #require((scored["probabilities"] as? [String: Double])?["spam"])
            #expect(scored["label"] as? String == (p >= probability ? "spam" : "ham"))
        }
        let promised = try calibrate("--positive spam --max-fpr 0.5 --confidence 0.8")
        #expect(promised.status == 0 && promised.errors.isEmpty, "\(promised.errors)")
        #expect(try calibrate("--positive spam --cost fp:10,fn:1").status == 0)
        #expect(try calibrate("--positive spam --objective f1 --prevalence spam=0.1").status == 0)
    }

    @Test("sets give a verdict, which an exit status tells")
    func sets() throws {
        #expect(try calibrate("--coverage 0.9").status == 0)
        let lines = try shell("score --model model --input ndjson validation.ndjson", in: folder.url).lines
        var verdicts: Set<String> = []
        for line in lines {
            let scored = try object(Data(line.utf8))
            let set = try #require(scored["set"] as? [String])
            let verdict = try #require(scored["verdict"] as? String)
            #expect(verdict == (set == [scored["label"] as? String ?? ""] ? set[0] : "unsure"))
            verdicts.insert(verdict)
        }
        #expect(verdicts.count >= 2, "\(verdicts)")
        for line in lines.prefix(20) {
            let scored = try object(Data(line.utf8))
            let text = try #require(scored["text"] as? String)
            for label in ["spam", "ham"] {
                let result = try shell(
                    "score --model model --exit-status \(label)", input: Data((text + "\n").utf8), in: folder.url)
                let verdict = try #require(scored["verdict"] as? String)
                #expect(
                    result.status == (verdict == "unsure" ? 2 : verdict == label ? 0 : 1), "\(text): \(result.status)")
            }
        }
        let small = try calibrate("--coverage 0.99")
        #expect(
            small.errors.contains("are too few for the coverage: it is in every set; 99 would do"), "\(small.errors)")
    }

    @Test("with an exit status the whole input is one text, or one record")
    func exitStatus() throws {
        let text = "win a free prize now\nclaim your cash reward\n"
        let result = try shell("score --model model --exit-status spam", input: Data(text.utf8), in: folder.url)
        #expect(
            result.lines.count == 1 && result.text.contains(#"prize now\nclaim your cash reward""#), "\(result.text)")
        let other = try shell("score --model model --exit-status ham", input: Data(text.utf8), in: folder.url)
        #expect(
            result.status == (result.text.contains(#""label":"spam""#) ? 0 : 1) && other.status == 1 - result.status)
        let record = #"{"id":1,"text":"win a free prize now"}"#
        let one = try shell(
            "score --model model --input ndjson --exit-status spam", input: Data(record.utf8), in: folder.url)
        #expect(one.status == 0 && one.text.hasPrefix(#"{"id":1,"#))
        for (options, input, status) in [
            ("--exit-status eggs", "a", 64), ("--input ndjson --exit-status spam", "\(record)\n\(record)\n", 64),
            ("--input ndjson --exit-status spam", "{}", 65),
        ] {
            let failed = try shell("score --model model \(options)", input: Data(input.utf8), in: folder.url)
            #expect(failed.status == Int32(status) && failed.errorLines.count == 1, "\(options): \(failed.errors)")
        }
    }

    @Test("texts that the model was trained on are refused, some among others are told")
    func trainedTexts() throws {
        _ = try shell("score --raw --model model --input ndjson all.ndjson >trained.ndjson", in: folder.url)
        expectFailure(
            try calibrate("", "trained.ndjson"), 65, "calibrate", "the model was trained on 60 of the 60 texts")
        #expect(try !folder.names("model").contains("decision.json"))
        let some = try shell("(cat scores.ndjson; head -3 trained.ndjson) >some; calibrate model some", in: folder.url)
        #expect(some.status == 0 && some.errors.contains("3 of 83 records are texts that the model was trained on"))
    }

    @Test("hashes of the training texts that were damaged are refused, and an empty text is known")
    func damagedHashes() throws {
        let empty = try shell(
            """
            (cat all.ndjson; echo '{"label":"ham","text":""}'; echo '{"label":"spam","text":"a"}') >more.ndjson
            tokenize-pad -q --tokenizer tok more.ndjson >more.st
            \(TinyModel.finetune) --out emptied <more.st >metrics
            (head -2 all.ndjson; echo '{"label":"ham","text":""}') \
              | score --raw --model emptied --input ndjson >known
            calibrate emptied known
            """, in: folder.url)
        expectFailure(empty, 65, "calibrate", "the model was trained on 3 of the 3 texts")
        for change in ["truncate -s -3", "sh -c 'tail -c 8 $0 >last; cat last >>$0'"] {
            let result = try shell(
                "cp -r model damaged; \(change) damaged/training-texts.hashes; calibrate damaged scores.ndjson; code=$?; rm -r damaged; exit $code",
                in: folder.url)
            expectFailure(result, 65, "calibrate", "training-texts.hashes: these aren't hashes in ascending order")
        }
    }

    @Test("scores that a decision has changed, or that are a linear model's too, are refused")
    func notRaw() throws {
        #expect(try calibrate("").status == 0)
        let calibrated = try shell("score --model model --input ndjson all.ndjson | calibrate model", in: folder.url)
        expectFailure(calibrated, 65, "calibrate", "stdin:1: these probabilities are calibrated already")
        let both = try shell(
            """
            baseline -q all.ndjson --out linear >metrics
            score --model model --cascade linear --input ndjson all.ndjson | calibrate model
            """, in: folder.url)
        expectFailure(both, 65, "calibrate", "these are the probabilities of a cascade")
        let raw = try shell("score --raw --model model --input ndjson all.ndjson | grep -c calibrated", in: folder.url)
        #expect(raw.text == "0\n")
    }

    @Test("a decision of other weights is refused")
    func otherWeights() throws {
        #expect(try calibrate("").status == 0)
        let made = try shell(
            "\(TinyModel.finetune) --seed 5 --out other <all.st >o; cp model/decision.json other; echo a | score --model other",
            in: folder.url)
        expectFailure(made, 78, "score", "other/decision.json: it was fitted for another model")
        _ = try shell("echo '{\"format\":\"x\"}' >model/decision.json", in: folder.url)
        expectFailure(
            try shell("echo a | score --model model", in: folder.url), 78, "score",
            "isn't in a format that this version reads")
        #expect(try shell("echo a | score --raw --model model", in: folder.url).status == 0)
    }

    @Test("usage errors and scores that don't fit are one line")
    func errors() throws {
        for (options, status, words) in [
            ("--max-fpr 0.1", 64, "--positive"), ("--positive spam", 64, "--positive"),
            ("--positive spam --max-fpr 0.1 --objective f1", 64, "one of"),
            ("--positive spam --objective f1 --confidence 0.9", 64, "--confidence goes with --max-fpr"),
            ("--positive spam --max-fpr 0.001 --confidence 0.95", 65, "there are 2995"),
            ("--positive eggs --objective f1", 64, "eggs"),
            ("--positive spam --cost 3", 64, "fp:COST,fn:COST"), ("--prevalence spam=3", 64, "LABEL=SHARE"),
            ("--coverage 1", 64, "not a number between 0 and 1"),
        ] {
            expectFailure(try calibrate(options), Int32(status), "calibrate", words)
        }
        for (command, words) in [
            ("head -n 1 scores.ndjson", "no record has the label"),
            (#"sed 's/"probabilities"/"p"/' scores.ndjson"#, "no \"probabilities\""),
            (#"sed 's/"ham":/"x":/' scores.ndjson"#, "not of the model's labels"), ("true", "no records"),
            (#"sed '3s/"expected":"[a-z]*"/"expected":"eggs"/' scores.ndjson"#, "the model has no label 'eggs'"),
        ] {
            expectFailure(
                try shell("\(command) | calibrate model", in: folder.url), 65, "calibrate", words)
        }
        expectFailure(try shell("calibrate nowhere scores.ndjson", in: folder.url), 66, "calibrate", "nowhere")
        #expect(try !folder.names("model").contains { $0.hasPrefix("decision") || $0.hasPrefix(".") })
    }

    @Test(
        "numbers that promise the impossible are refused before anything is written",
        arguments: [
            ("--coverage 0", "is not a number between 0 and 1"),
            ("--positive spam --max-fpr 0 --confidence 0.95", "no number of records can promise a rate of 0.0"),
            ("--positive spam --max-fpr 1e-300 --confidence 0.9", "no number of records can promise a rate of 1e-300"),
            ("--positive spam --max-fpr 0.1 --confidence 0", "is not a number between 0 and 1"),
            ("--prevalence 'a, b=2'", "'a, b=2' is not LABEL=SHARE"),
        ])
    func impossible(_ options: String, _ message: String) throws {
        let result = try calibrate(options)
        #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/model/decision.json"))
    }

    @Test("a rate that no records can promise gives a threshold all the same, and no number of them")
    func smallRate() throws {
        let result = try calibrate("--positive spam --max-fpr 1e-300")
        #expect(result.status == 0 && result.errors.contains("the rate may be up to"), "\(result.errors)")
        #expect(!result.errors.contains("to promise"))
    }

    @Test("records without a mistake are told")
    func withoutMistake() throws {
        let result = try shell(
            """
            jq -c '(.line % 2 / 2 + 0.25) as $p | .probabilities = {ham: (1 - $p), spam: $p}
              | .label = (if $p > 0.5 then "spam" else "ham" end) | .expected = .label' scores.ndjson >right; calibrate model right
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.contains("records have no mistake"), "\(result.errors)")
    }

    @Test(
        "a linear model is refused by name",
        arguments: ["calibrate linear scores.ndjson", "explain --model linear all.ndjson"])
    func linear(_ command: String) throws {
        let result = try shell("baseline -q all.ndjson --out linear >/dev/null; \(command)", in: folder.url)
        #expect(result.status == 78 && result.errors.contains("this is a linear model of baseline"), "\(result.errors)")
    }
}
