// finetune --search as a process.

import Foundation
import TestSupport
import Testing

struct SearchFilterTests {
    private let folder: Folder
    private let command = """
        finetune -q --base random:config.json --tokenizer tok --validation all.st --test all.st --out new --force \
          --search lr=1e-4..1e-1,weight-decay=0..0.3,epochs=1..3
        """
    init() throws { folder = try TinyModel.shared().workspace() }

    @Test("the winner's settings are in the model, and give the same model again")
    func winnerSettings() throws {
        let result = try shell("\(command) --trials 7 <all.st", in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let events = try result.lines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(
            events.map { $0["event"] as? String } == ["start", "frozen"] + Array(repeating: "trial", count: 7) + ["end"]
        )
        #expect(events[0]["trials"] as? Int == 7 && events[0]["search"] is String)
        let end = try #require(events.last)
        let winner = try #require(events.first { $0["trial"] as? Int == end["trial"] as? Int })
        #expect(winner["outcome"] as? String == "finished" && end["test_accuracy"] is Double)
        let config = try #require(
            try JSONSerialization.jsonObject(with: folder.read("new/config.json")) as? [String: Any])
        let recipe = try #require((config["gpt2kit"] as? [String: Any])?["training"] as? [String: Any])
        for key in ["learning_rate", "weight_decay", "epochs"] {
            #expect(recipe[key] as? Double == winner[key] as? Double, "\(key)")
        }
        let again = try shell(
            """
            finetune -q --base random:config.json --tokenizer tok --validation all.st --out again --threads 1 \
              --lr \(winner["learning_rate"] ?? "") --weight-decay \(winner["weight_decay"] ?? "") \
              --epochs \(winner["epochs"] ?? "") <all.st >o; cmp new/model.safetensors again/model.safetensors
            """, in: folder.url)
        #expect(again.status == 0, "\(again.text)\(again.errors)")
    }

    @Test(
        "an impossible search gives 64 and one line, before input is read",
        arguments: [
            ("--search lr=1e-5", "is not NAME=LOW..HIGH"), ("--search rate=1..2", "'rate' can't be searched; lr,"),
            ("--search lr=2..1", "ends below its beginning"), ("--search epochs=0..3", "that epochs doesn't take"),
            ("--search lr=1..2 --trials 0", "isn't a positive whole number"), ("--trials 5", "--trials is of a search"),
            ("--search lr=1..2 --patience 3", "--patience and --keep don't go with --search"),
            ("--search lr=1..2 --keep best", "--patience and --keep don't go with --search"),
            ("--search lr=1..2 --resume", "--checkpoint-every and --resume don't go with --search"),
            ("--search lr=1..2 --max-minutes 3", "--max-minutes doesn't go with --search"),
        ])
    func impossibleSearch(options: String, words: String) throws {
        let result = try shell(
            """
            finetune -q --base random:config.json --tokenizer tok --validation all.st --out new \(options)
            code=$?; cat; exit $code
            """, input: Data("rest\n".utf8), in: folder.url)
        expectFailure(result, 64, "finetune", words)
        #expect(result.text == "rest\n")
    }

    @Test("TERM and INT during a search give 143 and 130 and leave nothing [A9]")
    func interruptedSearch() throws {
        for (signal, status) in [("TERM", 143), ("INT", 130)] {
            let result = try shell(
                "timeout -s \(signal) --preserve-status 1 \(command),batch=1..1 --trials 99999 <all.st >o",
                in: folder.url)
            #expect(result.status == Int32(status), "\(result.errors)")
            let names = try folder.names()
            #expect(!names.contains("new") && !names.contains { $0.hasPrefix(".") }, "\(names)")
        }
    }

    @Test("there is no model where all trials diverge [E69]")
    func divergingSearch() throws {
        let result = try shell(
            "\(command.replacingOccurrences(of: "1e-4..1e-1", with: "1e20..1e30")) --trials 4 <all.st", in: folder.url)
        expectFailure(result, 65, "finetune", "loss not finite at step")
        #expect(try !folder.names().contains("new"))
    }
}
