// Labels as bytes.

import Records
import Testing

struct LabelTests {
    private let composed = "\u{E9}", decomposed = "e\u{301}"

    @Test("labels that Swift takes for equal strings are two")
    func bytes() {
        #expect(composed == decomposed)
        #expect(Label(composed) != Label(decomposed) && Set([Label(composed), Label(decomposed)]).count == 2)
        #expect(["a", composed, decomposed].index(ofLabel: decomposed) == 2)
        #expect([decomposed].index(ofLabel: composed) == nil)
        #expect(![composed].areSameLabels(as: [decomposed]) && [composed].areSameLabels(as: [composed]))
        #expect(
            [composed, "b", decomposed, "b"].distinctLabels.map { Array($0.utf8) } == [
                [98], [101, 204, 129], [195, 169],
            ])
        #expect([composed, decomposed].firstRepeated == nil && ["a", "b", "a"].firstRepeated == "a")
    }
}
