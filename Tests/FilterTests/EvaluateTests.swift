// evaluate as a process: comparisons, groups, and the forms of its output.

import Foundation
import TestSupport
import Testing

struct EvaluateTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        let first = Self.records(["ham", "ham", "ham", "spam", "spam", "spam"])
        try folder.write("a.ndjson", first)
        try folder.write("b.ndjson", Self.records(["ham", "spam", "ham", "spam", "ham", "spam"]))
    }

    private static let texts = [
        "see you at lunch tomorrow then", "are you coming home late again", "thanks for dinner", "win a free prize now",
        "claim your cash reward today", "urgent free ringtone",
    ]

    private static func records(_ labels: [String]) -> String {
        labels.enumerated().map { i, label in
            let expected = i < 3 ? "ham" : "spam"
            let p = label == "spam" ? 0.75 : 0.25
            return """
                {"id":\(i),"text":"\(texts[i])","source":"\(i % 2 == 0 ? "mail" : "sms")","expected":"\(expected)",\
                "label":"\(label)","probabilities":{"ham":\(1 - p),"spam":\(p)}}

                """
        }.joined()
    }

    private func evaluate(_ options: String) throws -> FilterResult { try shell("evaluate \(options)", in: folder.url) }

    private func object(_ options: String) throws -> [String: Any] {
        let result = try evaluate("--format json \(options)")
        #expect(result.status == 0, "\(result.errors)")
        return try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
    }

    @Test("a comparison tells how many labels changed, and --changed which")
    func comparing() throws {
        let json = try object("--compare b.ndjson a.ndjson")
        let comparison = try #require(json["comparison"] as? [String: Any])
        #expect(comparison["changed"] as? Int == 2 && comparison["only_this"] as? Int == 2)
        #expect(comparison["mcnemar_p"] as? Double == 0.5)
        let text = try evaluate("--compare b.ndjson a.ndjson").text
        #expect(text.contains("right here alone: 2, there alone: 0") && text.contains("+33.33"), "\(text)")
        let changed = try evaluate("--compare b.ndjson --changed a.ndjson").lines
        #expect(changed.count == 2 && changed[0].hasPrefix(#"{"id":1,"#) && changed[0].hasSuffix(#","other":"spam"}"#))
        #expect(
            try shell("evaluate --compare b.ndjson --changed a.ndjson | jq -r .other", in: folder.url).lines == [
                "spam", "ham",
            ])
    }

    @Test(
        "scores of other records are refused with file and line",
        arguments: [
            ("head -n 4 b.ndjson", "other:5: there are fewer records than in a.ndjson"),
            ("cat b.ndjson b.ndjson", "other:7: there are more records than the 6 of a.ndjson"),
            (#"sed '3s/"ham"/"spam"/' b.ndjson"#, "other:3: another expected label than in line 3 of a.ndjson"),
            (#"sed '2s/"id":1/"id":7/' b.ndjson"#, "other:2: another id than in line 2 of a.ndjson"),
            (
                #"jq -c 'del(.id) | if .text == "win a free prize now" then .text = "lunch?" else . end' b.ndjson"#,
                "another text than in line"
            ),
        ])
    func otherRecords(_ command: String, _ words: String) throws {
        let result = try shell("\(command) >other; evaluate --compare other a.ndjson", in: folder.url)
        expectFailure(result, 65, "evaluate", words)
    }

    @Test("groups are those of a key, or of texts that training has seen")
    func groups() throws {
        let groups = try #require(try object("--by source b.ndjson")["groups"] as? [String: [String: Any]])
        #expect(groups["mail"]?["records"] as? Int == 3 && groups["sms"]?["correct"] as? Int == 2)
        let training = #"{"text":"Win a FREE prize now!"}"# + "\n" + #"{"text":"something else"}"# + "\n"
        try folder.write("train.ndjson", training)
        let seen = try evaluate("--seen train.ndjson a.ndjson").lines
        #expect(seen.contains { $0.hasPrefix("near duplicate in training") && $0.contains("  1  ") }, "\(seen)")
        #expect(seen.contains { $0.hasPrefix("none ") && $0.contains("  5  ") })
        let csv = try evaluate("--by source --format csv a.ndjson").lines
        #expect(csv[0] == "group,measure,label,value,low,high" && csv.contains { $0.hasPrefix("sms,accuracy,,1.0,") })
    }

    @Test("a stated prevalence changes the measures, and the counts stay")
    func prevalence() throws {
        let plain = try object("b.ndjson")
        let weighted = try object("--prevalence spam=0.1 b.ndjson")
        #expect(weighted["correct"] as? Int == plain["correct"] as? Int)
        #expect(weighted["macro_f1"] as? Double != plain["macro_f1"] as? Double)
        let balanced = try [plain, weighted].map { try #require($0["balanced_accuracy"] as? Double) }
        #expect(abs(balanced[0] - balanced[1]) < 1e-12)
        let both = try object("--prevalence ham=0.9,spam=0.1 b.ndjson")
        #expect(both["macro_f1"] as? Double == weighted["macro_f1"] as? Double)
        #expect(try evaluate("--prevalence spam=0.1 b.ndjson").text.contains("ham 90.00 %, spam 10.00 %"))
    }

    @Test("the output is the same each time, and without resamples it has no intervals but Wilson's")
    func seeds() throws {
        #expect(try evaluate("a.ndjson").output == evaluate("a.ndjson").output)
        #expect(try evaluate("b.ndjson").output != evaluate("--seed 5 b.ndjson").output)
        let intervals = try #require(try object("--bootstrap 0 b.ndjson")["intervals"] as? [String: Any])
        #expect(Set(intervals.keys) == ["accuracy"])
        #expect(try evaluate("--format markdown b.ndjson").text.contains("| accuracy | 66.67 % | 30.00–90.32 % |"))
    }

    @Test(
        "usage errors are one line and 64",
        arguments: [
            ("--prevalence spam", "is not LABEL=SHARE"), ("--prevalence spam=2", "is not LABEL=SHARE"),
            ("--prevalence eggs=0.1", "no record has the label 'eggs'"),
            ("--prevalence spam=0.3,ham=0.3", "the shares add up to 0.6"),
            ("--prevalence spam=0.3,spam=0.3", "has two shares"), ("--positive eggs", "no record has the label 'eggs'"),
            ("--by source --seen a.ndjson", "either --by or --seen"), ("--changed", "goes with --compare"),
            ("--at-fpr 2", "from 0 to below 1"), ("--format yaml", "--format"),
            ("--compare b.ndjson --format csv", "no place for a comparison"),
            ("--compare b.ndjson --changed --by source", "goes without"),
            ("--compare - <b.ndjson -", "only one file"),
        ])
    func usageErrors(_ options: String, _ words: String) throws {
        expectFailure(try evaluate("\(options) a.ndjson"), 64, "evaluate", words)
    }

    @Test("files that aren't there, and records without texts, are told")
    func badFiles() throws {
        expectFailure(try evaluate("--compare none a.ndjson"), 66, "evaluate", "none: no such file")
        expectFailure(try evaluate("--seen none a.ndjson"), 66, "evaluate", "none: no such file")
        try folder.write("c.ndjson", #"{"expected":"a","label":"a"}"# + "\n")
        expectFailure(try evaluate("--seen a.ndjson c.ndjson"), 65, "evaluate", "c.ndjson:1: no \"text\"")
        try folder.write("d.ndjson", #"{"expected":"a","label":"a","probabilities":{"a":0.5}}"# + "\n")
        expectFailure(try evaluate("d.ndjson"), 65, "evaluate", "d.ndjson:1: the probabilities add up to 0.5")
    }

    @Test("at a stated prevalence the comparison and the classes are those of that prevalence, with intervals")
    func prevalenceEverywhere() throws {
        try folder.write("c.ndjson", Self.records(["spam", "ham", "ham", "spam", "spam", "spam"]))
        let json = try object("--prevalence spam=0.1 --compare b.ndjson c.ndjson")
        let other = try object("--prevalence spam=0.1 b.ndjson")
        let comparison = try #require(json["comparison"] as? [String: Any])
        let difference = try #require(comparison["accuracy_difference"] as? [String: Any])
        let accuracies = try [json, other].map { try #require($0["accuracy"] as? Double) }
        #expect(try abs(#require(difference["value"] as? Double) - (accuracies[0] - accuracies[1])) < 1e-12)
        let classes = try #require(json["classes"] as? [String: [String: Any]])
        // Of ham 2 of 3 are right, of spam 3 of 3: 0.1 / (0.1 + 0.9/3).
        let spam = try #require(classes["spam"])
        #expect(try abs(#require(spam["precision"] as? Double) - 0.25) < 1e-12)
        #expect(try abs(#require(spam["f1"] as? Double) - 0.4) < 1e-12 && spam["recall"] as? Double == 1)
        let interval = try #require(spam["precision_interval"] as? [String: Double])
        #expect(try #require(interval["low"]) < 0.25 && #require(interval["high"]) > 0.25)
        let mean = try ["ham", "spam"].map { try #require(classes[$0]?["precision"] as? Double) }.reduce(0, +) / 2
        #expect(try abs(#require(json["macro_precision"] as? Double) - mean) < 1e-12)
        #expect(try evaluate("--prevalence spam=0.1 c.ndjson").text.contains("25.00"))
    }

    @Test("a group without the label of a prevalence has the shares of the others")
    func prevalenceOfGroups() throws {
        try folder.write(
            "d.ndjson",
            """
            {"expected":"ham","label":"ham","lang":"en"}
            {"expected":"spam","label":"spam","lang":"en"}
            {"expected":"ham","label":"spam","lang":"de"}
            {"expected":"ham","label":"ham","lang":"de"}

            """)
        let json = try object("--prevalence spam=0.1 --by lang d.ndjson")
        let groups = try #require(json["groups"] as? [String: [String: Any]])
        #expect(groups["de"]?["accuracy"] as? Double == 0.5 && groups["en"]?["accuracy"] as? Double == 1)
    }

    @Test("labels with commas, quotes, bars and combining marks stand in every form of the output")
    func oddLabels() throws {
        try folder.write(
            "e.ndjson",
            #"{"expected":"a\"\u0301, b|\u0301<i>*\\<b>_x","label":"a\"\u0301, b|\u0301<i>*\\<b>_x"}"# + "\n")
        let csv = try evaluate("--format csv e.ndjson").lines
        #expect(csv.contains { $0.hasPrefix("precision,\"a\"\"\u{301}, b|\u{301}<i>*\\<b>_x\",1.0,") }, "\(csv)")
        let markdown = try evaluate("--format markdown e.ndjson").lines
        #expect(
            markdown.contains {
                $0.unicodeScalars.starts(with: "| a\"\u{301}, b\\|\u{301}\\<i>\\*\\\\\\<b>\\_x | ".unicodeScalars)
            },
            "\(markdown)")
        let shares = try evaluate(#"--prevalence 'a, b=0.5' a.ndjson"#)
        #expect(shares.status == 64 && shares.errors.contains("'a, b'"), "\(shares.errors)")
    }

    @Test(
        "a record's own \"other\" makes way, a label twice among probabilities is told with its line, --curve takes no prevalence"
    )
    func members() throws {
        let changed = try shell(
            "jq -c '.other = \"x\"' a.ndjson >o; evaluate --compare b.ndjson --changed o | tee c | evaluate --bootstrap 0; jq -r .other c",
            in: folder.url)
        #expect(
            changed.status == 0 && changed.errors.isEmpty && changed.text.hasSuffix("spam\nham\n"), "\(changed.errors)")
        try folder.write("twice", #"{"expected":"a","label":"a","probabilities":{"a":0.5,"a":0.5}}"# + "\n")
        let twice = try evaluate("twice")
        #expect(
            twice.status == 65 && twice.errors.contains("twice:1: \"probabilities\": duplicate key"), "\(twice.errors)"
        )
        #expect(try evaluate("--curve roc --prevalence spam=0.1 a.ndjson").status == 64)
    }

    @Test("thousands of labels don't take a matrix of all pairs")
    func manyLabels() throws {
        let result = try shell(
            """
            i=0; while [ $i -lt 9000 ]; do echo "{\\"expected\\":\\"e$i\\",\\"label\\":\\"l$((i / 2))\\"}"; i=$((i + 1)); done >many
            (ulimit -v 800000; evaluate --bootstrap 0 --format csv many | head -n 2)
            """, in: folder.url)
        #expect(result.status == 0 && result.lines.first == "measure,label,value,low,high", "\(result.errors)")
    }

    @Test("resamples without a label that has a share are left out")
    func emptyResamples() throws {
        try folder.write("one", Self.records(["ham", "ham", "ham", "spam"]))
        let json = try object("--prevalence spam=1 --compare one one")
        let comparison = try #require(json["comparison"] as? [String: Any])
        let difference = try #require(comparison["accuracy_difference"] as? [String: Any])
        #expect(
            difference["value"] as? Double == 0 && difference["interval"] as? [String: Double] == nil)
        let shares = try evaluate("--prevalence spam=3,ham=0.5 one")
        #expect(shares.status == 64 && shares.errors.contains("'spam=3' is not LABEL=SHARE"), "\(shares.errors)")
    }
}
