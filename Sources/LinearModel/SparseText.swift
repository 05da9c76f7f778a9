// A text as sparse features: TF-IDF of its n-grams, each kind scaled to length 1.

/// Features with their values.
package struct SparseText: Sendable {
    /// Indices of features, each once.
    package var indices: [Int32] = []
    /// Their values.
    package var values: [Float] = []

    /// Counts times rarity, words and runs of characters each scaled to length 1. The first `words` features are words.
    func weighted(by rarity: [Float], words: Int) -> SparseText {
        var result = self
        var squares = (words: 0.0, characters: 0.0)
        for (place, feature) in indices.enumerated() {
            let value = values[place] * rarity[Int(feature)]
            result.values[place] = value
            if feature < words {
                squares.words += Double(value) * Double(value)
            } else {
                squares.characters += Double(value) * Double(value)
            }
        }
        func scale(_ square: Double) -> Float { square > 0 ? Float(1 / square.squareRoot()) : 0 }
        let scales = (words: scale(squares.words), characters: scale(squares.characters))
        for (place, feature) in indices.enumerated() {
            result.values[place] *= feature < words ? scales.words : scales.characters
        }
        return result
    }
}
