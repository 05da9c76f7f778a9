// suspects as a process: labels that were exchanged are found.

import Foundation
import TestSupport
import Testing

struct SuspectsTests {
    private let folder: Folder
    private static let options =
        "--base random:config.json --tokenizer tok --trainable all --pool mean --epochs 6 --lr 1e-2"

    init() throws {
        folder = try TinyModel.shared().workspace()
        // Four records of sixty get the other label.
        let swapped = try shell(
            """
            jq -c 'if (.id | tonumber) as $i | [6, 17, 33, 48] | index($i) then .label = (if .label == "ham" then "spam" else "ham" end) else . end' \
              all.ndjson >wrong.ndjson && tokenize-pad --tokenizer tok wrong.ndjson >wrong.st
            """, in: folder.url)
        #expect(swapped.status == 0, "\(swapped.errors)")
    }

    private func objects(_ result: FilterResult) throws -> [[String: Any]] {
        try result.lines.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    }

    @Test("exchanged labels are suspected first, with their text and id, on any number of threads")
    func exchanged() throws {
        let result = try shell("suspects -q \(Self.options) --records wrong.ndjson wrong.st", in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let found = try objects(result)
        let ids = found.prefix(4).compactMap { $0["id"] as? String }
        #expect(Set(ids) == ["6", "17", "33", "48"], "\(result.text)")
        #expect(found.enumerated().allSatisfy { $1["rank"] as? Int == $0 + 1 })
        #expect(found.allSatisfy { $0["expected"] as? String != $0["label"] as? String && $0["text"] is String })
        #expect(found[0]["line"] as? Int == (Int(ids[0]) ?? 0) + 1)
        let one = try shell("suspects -q \(Self.options) --threads 1 --records wrong.ndjson <wrong.st", in: folder.url)
        #expect(one.output == result.output)
    }

    @Test("all records keep their order and can be evaluated, and ranked again")
    func all() throws {
        let result = try shell(
            "suspects -q \(Self.options) --all wrong.st >out; wc -l <out; evaluate out", in: folder.url)
        #expect(result.status == 0 && result.text.contains("of 60 records right"), "\(result.text)\(result.errors)")
        let lines = try objects(shell("cat out", in: folder.url)).compactMap { $0["line"] as? Int }
        #expect(lines == Array(1...60))
        let direct = try objects(shell("suspects -q \(Self.options) wrong.st", in: folder.url)).compactMap {
            $0["line"] as? Int
        }
        let again = try objects(shell("suspects -q --scores out", in: folder.url)).compactMap { $0["line"] as? Int }
        #expect(again == direct && !direct.isEmpty)
    }

    @Test("averaged with other scores, log-odds are the mean of both, whatever the order of records and labels")
    func average() throws {
        let result = try shell(
            """
            suspects -q \(Self.options) --all wrong.st >own
            baseline -q wrong.ndjson --out linear --out-of-fold linear.ndjson >metrics
            tac linear.ndjson | jq -c '.probabilities |= {spam, ham}' >other
            for share in 0 0.25 0.5; do
              suspects -q --scores own --average other --average-share $share --all >mean
              suspects -q \(Self.options) --average other --average-share $share --all wrong.st | jq -c '[.line, .rank, .label]' >direct
              jq -c '[.line, .rank, .label]' mean | cmp - direct
              paste -d '\\n' mean own linear.ndjson | jq -n --argjson share $share '
                def odds: .probabilities | (.spam / .ham | log);
                [inputs] | _nwise(3) | (.[0] | odds) - (1 - $share) * (.[1] | odds) - $share * (.[2] | odds) | fabs' | sort -g | tail -n 1
            done
            suspects -q --scores own --average other >half; jq -s 'map(.rank) == [range(1; length + 1)]' half
            suspects -q --scores own --average other --average-share 0.5 | cmp - half
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.lines.count == 4 && result.lines.last == "true", "\(result.text)")
        #expect(result.lines.prefix(3).allSatisfy { (Double($0) ?? 1) < 1e-4 }, "\(result.text)")
    }

    @Test("a probability that is written as 0 doesn't decide alone")
    func zero() throws {
        let result = try shell(
            """
            baseline -q wrong.ndjson --out linear --out-of-fold own >metrics
            jq -c '.probabilities = {ham: 1, spam: 0}' own >certain
            jq -c '.probabilities = {ham: 0.001, spam: 0.999}' own >sure
            for setting in 'sure certain 0.25' 'certain sure 0.75'; do
              set -- $setting
              suspects -q --scores $1 --average $2 --average-share $3 --all | jq -s '[.[].probabilities.spam] | min > 0.767 and max < 0.768'
            done
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(result.lines == ["true", "true"], "\(result.text)")
    }

    @Test("scores that aren't of the same records can't be averaged")
    func otherScores() throws {
        let prepared = try shell(
            """
            baseline -q wrong.ndjson --out linear --out-of-fold own >metrics
            head -n 59 own >short; cat own own >double; sed 's/"ham"/"egg"/g' own >labels
            jq -c 'if .line == 7 then .expected = (if .expected == "ham" then "spam" else "ham" end) else . end' own >changed
            """, in: folder.url)
        #expect(prepared.status == 0, "\(prepared.errors)")
        for (other, words) in [
            ("short", "short: no record is of line 60"), ("double", "double:61: an earlier record is of line 1 too"),
            ("labels", "labels: its labels are egg, spam, and those of the texts ham, spam"),
            ("changed", "changed:7: the text of line 7 has another label"), ("wrong.ndjson", "wrong.ndjson:1"),
        ] {
            expectFailure(
                try shell("suspects --scores own --average \(other)", in: folder.url), 65, "suspects", words)
        }
    }

    @Test("a line is a whole number, or no record has one; what is wrong is told before anything is trained")
    func lines() throws {
        let prepared = try shell(
            """
            baseline -q wrong.ndjson --out linear --out-of-fold own >metrics; head -n 59 own >short
            jq -c 'del(.line)' own >bare; { head -n 1 bare; tail -n +2 own; } >mixed; sed 's/"line":7,/"line":7.0,/' own >float; cat own own >double
            sed 's/"line":7,/"line":0,/' own >zero
            jq -c 'if .id == "9" then del(.label) else . end' all.ndjson | tokenize-pad --tokenizer tok >some.st
            """, in: folder.url)
        #expect(prepared.status == 0, "\(prepared.errors)")
        let bare = try shell(
            "suspects -q --scores own --average own >a; suspects -q --scores own --average bare | cmp - a",
            in: folder.url)
        #expect(bare.status == 0 && bare.errors.isEmpty, "\(bare.text)\(bare.errors)")
        let endless = "\(Self.options) --epochs 1000000000"
        for (command, status, words) in [
            ("suspects --scores own --average mixed", 65, "mixed:2:"),
            ("suspects --scores float", 65, "float:7: \"line\""),
            ("suspects --scores double", 65, "double:61: an earlier"),
            ("suspects --scores own --average zero", 65, "zero:7: \"line\""),
            ("suspects \(endless) --average short wrong.st", 65, "no record is of line 60"),
            ("suspects \(endless) --records none wrong.st", 66, "none"),
            ("suspects \(endless) --average own --records own some.st", 65, "line 10 has no label"),
            ("suspects --scores - --average -", 64, "only one file can be stdin"),
        ] {
            let result = try shell("timeout 60 \(command) </dev/null", in: folder.url)
            expectFailure(result, Int32(status), "suspects", words)
        }
    }

    @Test("usage errors, and data that can't be cut into parts, are one line")
    func errors() throws {
        for (command, status, words) in [
            ("suspects", 64, "--base"), ("suspects --base a --scores b", 64, "either"),
            ("suspects \(Self.options) --folds 1", 64, "at least 2"),
            ("suspects --scores a --average-share 0.5", 64, "--average"),
            ("suspects --scores a --folds 3", 64, "go with --base"),
            ("suspects --scores a --tokenizer t", 64, "go with"),
            ("suspects \(Self.options) --average none wrong.st", 66, "none"), ("suspects --scores none", 66, "none"),
            ("suspects --scores all.ndjson", 65, "all.ndjson:1:"),
            ("suspects \(Self.options) --folds 40 wrong.st", 65, "fewer than the 40 folds"),
            ("suspects \(Self.options) all.ndjson", 65, "all.ndjson"),
            ("suspects \(Self.options) --records model/config.json wrong.st", 65, "model/config.json"),
        ] {
            expectFailure(try shell("\(command) </dev/null", in: folder.url), Int32(status), "suspects", words)
        }
    }

    @Test("a text under the name of a result, or of the id, is written once")
    func keys() throws {
        let result = try shell(
            """
            suspects -q \(Self.options) --all wrong.st >scores
            for key in id label; do suspects -q --scores scores --records wrong.ndjson --text-field $key --all | head -n 1 | evaluate --bootstrap 0; done
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    }
}
