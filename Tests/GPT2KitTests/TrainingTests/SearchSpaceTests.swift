// What a search draws, and which trials continue.

import GPT2Kit
import Testing

struct SearchSpaceTests {
    @Test("ranges are parsed")
    func validRanges() throws {
        let space = try SearchSpace("lr=1e-5..1e-3,weight-decay=0..0.3,epochs=2..10,batch=4..4,dropout=.1...5")
        #expect(
            space.ranges == [
                .learningRate: 1e-5...1e-3, .weightDecay: 0...0.3, .epochs: 2...10, .batch: 4...4, .dropout: 0.1...0.5,
            ])
    }

    @Test(
        "a malformed range is named",
        arguments: [
            ("", "'' is not NAME=LOW..HIGH"), ("lr", "'lr' is not NAME"), ("lr=1", "'lr=1' is not NAME"),
            ("lr=1e-5..1e-3,", "'' is not NAME"), ("lr=a..b", "with two numbers"), ("lr=1..", "with two numbers"),
            (
                "rate=1..2",
                "'rate' can't be searched; lr, weight-decay, epochs, batch, dropout, word-dropout, label-smoothing can"
            ),
            ("lr=2..1", "ends below its beginning"), ("lr=0..1", "that lr doesn't take"),
            ("lr=-1..1", "that lr doesn't take"), ("lr=1..inf", "that lr doesn't take"),
            ("lr=nan..1", "ends below"), ("dropout=0..1", "that dropout doesn't take"),
            ("epochs=1..2.5", "needs whole numbers"), ("epochs=0..2", "that epochs doesn't take"),
            ("lr=1..2,lr=1..2", "lr is given twice"), ("batch=1..99999999999999999999", "that batch doesn't take"),
        ])
    func malformedRanges(_ text: String, _ problem: String) {
        #expect {
            try SearchSpace(text)
        } throws: { error in
            "\(error)".contains(problem)
        }
    }

    @Test("each name draws its own setting")
    func names() throws {
        let space = try SearchSpace("dropout=0.1..0.1,word-dropout=0.2..0.2,label-smoothing=0.3..0.3")
        let drawn = try #require(space.draw(1, from: TrainingSettings()).first)
        #expect(drawn.dropout == 0.1 && drawn.wordDropout == 0.2 && drawn.labelSmoothing == 0.3)
    }

    @Test("draws stay in their ranges, cover them on their scale, and have four digits")
    func draws() throws {
        let space = try SearchSpace("lr=1e-5..1e-3,weight-decay=0..0.3,epochs=2..10,batch=1..32")
        var settings = TrainingSettings()
        settings.dropout = 0.25
        let drawn = space.draw(4000, from: settings)
        #expect(drawn.allSatisfy { $0.dropout == 0.25 && $0.seed == settings.seed })
        #expect(drawn.allSatisfy { (1e-5...1e-3).contains($0.learningRate) && (0...0.3).contains($0.weightDecay) })
        #expect(Set(drawn.map(\.epochs)) == Set(2...10) && Set(drawn.map(\.batch)) == Set(1...32))
        func share(_ isWanted: (TrainingSettings) -> Bool) -> Double {
            Double(drawn.filter(isWanted).count) / Double(drawn.count)
        }
        // Standard deviations of these shares are below 0.008.
        #expect(abs(share { $0.learningRate < 1e-4 } - 0.5) < 0.04)
        #expect(abs(share { $0.weightDecay < 0.15 } - 0.5) < 0.04)
        #expect(abs(share { $0.epochs == 2 } - 1.0 / 9) < 0.025 && abs(share { $0.epochs == 10 } - 1.0 / 9) < 0.025)
        for trial in drawn.prefix(200) {
            let digits = "\(trial.learningRate)".split(separator: "e")[0].filter(\.isNumber).drop { $0 == "0" }
            #expect(digits.count <= 4, "\(trial.learningRate)")
        }
    }

    @Test("the same seed draws the same, and more trials begin with the same ones")
    func seeds() throws {
        let space = try SearchSpace("lr=1e-5..1e-3,epochs=2..10")
        var settings = TrainingSettings()
        let first = space.draw(50, from: settings)
        #expect(space.draw(80, from: settings).prefix(50) == first[...])
        settings.seed = 5
        #expect(space.draw(50, from: settings).map(\.learningRate) != first.map(\.learningRate))
    }

    @Test("a third of the trials continues three times as long, until one is left")
    func rounds() {
        func rounds(_ trials: Int) -> [[Int]] {
            SuccessiveHalving(trials: trials).rounds.map { [$0.divisor, $0.survivors] }
        }
        #expect(rounds(50) == [[81, 17], [27, 6], [9, 2], [3, 1]])
        #expect(rounds(1) == [] && rounds(2) == [[3, 1]] && rounds(3) == [[3, 1]] && rounds(4) == [[9, 2], [3, 1]])
        #expect(rounds(Int.max / 4).last == [3, 1])
    }
}
