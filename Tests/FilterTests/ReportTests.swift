// report as a process: a page that holds all that it shows.

import Foundation
import TestSupport
import Testing

struct ReportTests {
    private let folder: Folder
    init() throws {
        folder = try TinyModel.shared().workspace()
        let made = try shell(
            """
            head -n 40 all.ndjson >train; tail -n 20 all.ndjson >test; tail -n 20 scored.ndjson >scores; head -n 40 scored.ndjson >before
            baseline -q train --out linear >/dev/null; score -q --model linear --input ndjson test >baseline
            echo '{"text":"<script>alert(1)</script> & \\"win\\"","expected":"ham"}' | explain -q --model model --input ndjson >mistakes
            echo '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>' >figure.svg
            """, in: folder.url)
        #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")
    }

    @Test("a page shows results, comparison, figures, mistakes, data, training and hashes, and loads nothing")
    func page() throws {
        let result = try shell(
            """
            report --title 'a <title>' --part train=train --part test=test --metrics metrics.ndjson --scores scores --figure 'A & B=figure.svg' \\
              --validation-scores before --baseline baseline --mistakes mistakes --suspects mistakes >page
            grep -o '<h2>[^<]*' page; sha256sum train | cut -c1-64 | grep -cFf - page; grep -c 'src="data:image/svg+xml,' page
            sed 's/src="data:[^"]*"//g' page | grep -ciE '<script|https?:|src=|<link|@import|url\\('
            """, in: folder.url)
        #expect(result.errors.isEmpty, "\(result.errors)")
        let piped = try shell(
            "report --scores scores --baseline baseline >file; report --scores - --baseline baseline <scores >pipe; grep -c McNemar file pipe",
            in: folder.url)
        #expect(piped.lines == ["file:1", "pipe:1"], "\(piped.text)\(piped.errors)")
        let expected =
            [
                "Results on the test part", "Figures", "Mistakes", "Labels to look at", "Data", "Training", "Files",
            ].map { "<h2>" + $0 } + ["1", "1", "0"]
        #expect(result.lines == expected, "\(result.text)")
        let page = String(decoding: try folder.read("page"), as: UTF8.self)
        #expect(page.contains("<h1>a &lt;title&gt;</h1>") && page.contains("alt=\"A &amp; B\""))
        #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("McNemar"))
        // Every tag that opens closes.
        for tag in ["table", "tr", "section", "figure", "blockquote", "mark", "div", "p"] {
            let (open, close) = (
                page.matches(of: try Regex("<\(tag)[ >]")).count, page.matches(of: try Regex("</\(tag)>")).count
            )
            #expect(open == close && open > 0, "\(tag)")
        }
        let again = try shell(
            "report --title x --scores scores >one; report --title x --scores scores | cmp - one", in: folder.url)
        #expect(again.status == 0)
    }

    @Test("curves are tables, and calibrated probabilities are evaluated")
    func curves() throws {
        let result = try shell(
            """
            for curve in roc precision-recall reliability histogram; do evaluate --curve $curve scores | wc -l; done
            evaluate --calibrate-on before --format json scores | jq .log_loss; evaluate --format json scores | jq .log_loss
            """, in: folder.url)
        #expect(result.errors.isEmpty && result.lines.count == 6, "\(result.errors)")
        #expect(result.lines[3] == "21" && result.lines[4] != result.lines[5])
    }

    @Test("usage errors and files that aren't what they should be are one line")
    func errors() throws {
        for (command, status, words) in [
            ("report --part train", 64, "--part train=train.ndjson"), ("report --part train=none", 66, "none"),
            ("report --figure a=train", 65, "train: it isn't an SVG file"),
            ("report --scores all.ndjson", 65, "all.ndjson:1"),
            ("report --scores scores --baseline scored.ndjson", 65, "scored.ndjson"),
            ("report --mistakes - --suspects -", 64, "only one file can be stdin"),
            ("report --scores - --baseline -", 64, "only one file can be stdin"),
            ("report --metrics figure.svg", 65, "figure.svg:1"),
            ("evaluate --curve roc --by label scores", 64, "--curve"), ("evaluate --curve bent scores", 64, "roc"),
            ("evaluate --calibrate-on all.ndjson scores", 65, "all.ndjson:1"),
        ] {
            let tool = command.hasPrefix("report") ? "report" : "evaluate"
            expectFailure(try shell("\(command) </dev/null", in: folder.url), Int32(status), tool, words)
        }
        expectFailure(try shell("report --scores scores >/dev/full", in: folder.url), 74, "report", "No space")
    }

    @Test(
        "a file that isn't what its option takes is refused with its line",
        arguments: [("metrics", "\"event\""), ("mistakes", "\"expected\""), ("suspects", "\"expected\"")])
    func otherFiles(_ option: String, _ key: String) throws {
        let result = try shell("report --\(option) test", in: folder.url)
        #expect(
            result.status == 65 && result.errors.contains("test:1: no \(key): it isn't what --\(option) takes"),
            "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    @Test("numbers of any size are printed, options without scores are refused, and a pipe has no hash")
    func oddInput() throws {
        let result = try shell(
            """
            echo '{"event":"end","seconds":1e300,"train_accuracy":1,"train_loss":9.5e14}' >a; report --metrics a | grep -c -e 1e+300 -e 950000000000000
            echo '{"event":"start","seed":-9223372036854775808}' >b; report --metrics b | grep -c '9,223,372,036,854,775,808'
            echo '{"text":"a b","expected":"x","label":"y","probability":1e30,"words":[]}' >c; report --mistakes c --suspects c >page; echo $?
            cat scores | report --scores - | grep -c 'came through a pipe'
            report --baseline baseline; echo $?; report --positive spam; echo $?
            """, in: folder.url)
        #expect(result.lines == ["2", "1", "0", "1", "64", "64"], "\(result.text)\(result.errors)")
    }
}
