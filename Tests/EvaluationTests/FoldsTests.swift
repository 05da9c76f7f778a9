import Evaluation
import Records
import Testing

struct FoldsTests {
    @Test(
        "every row is in one part, equal texts are in the same, and classes are spread evenly", arguments: [2, 5, 10])
    func folds(count: Int) {
        var generator = SeededGenerator(seed: 8)
        let texts = (0..<500).map { _ in generator.nextInteger(below: 400) }
        let labels = texts.map { $0 % 3 == 0 ? 1 : 0 }
        let folds = Folds.assign(labels: labels, texts: texts, count: count, seed: 1)
        #expect(folds == Folds.assign(labels: labels, texts: texts, count: count, seed: 1))
        #expect(folds != Folds.assign(labels: labels, texts: texts, count: count, seed: 2))
        #expect(Set(folds) == Set(0..<count))
        var homes: [Int: Set<Int>] = [:]
        for (text, fold) in zip(texts, folds) { homes[text, default: []].insert(fold) }
        #expect(homes.values.allSatisfy { $0.count == 1 })
        for label in [0, 1] {
            let distinct = Set(texts.indices.filter { labels[$0] == label }.map { texts[$0] })
            for fold in 0..<count {
                let own = distinct.count { homes[$0] == [fold] }
                #expect(abs(own - distinct.count / count) <= 1, "\(label), \(fold): \(own)")
            }
        }
    }
}
