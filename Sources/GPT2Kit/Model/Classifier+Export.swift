// Writes a model directory (ModelDirectory) as Hugging Face's `GPT2ForSequenceClassification` expects it, with everything
// that scoring needs, and a model card (Classifier+Card).

import Records
import Safetensors

/// How a model was trained, as its directory tells it. Scoring doesn't need it.
public struct ModelStory: Sendable {
    /// Members of `gpt2kit` in config.json.
    package var configuration: [JSONMember] = []
    /// Further files of the directory.
    package var files: [(name: String, bytes: [UInt8])] = []
    /// Lines of YAML at the head of the model card.
    package var cardMetadata = ""
    /// Lines of the table of the model card.
    package var cardRows = ""
    /// Sections of the model card, before the one about its use.
    package var cardSections = ""

    package init() {}

    /// What the directory of a classifier keeps of it, without the model card. Nothing where another program wrote it.
    ///
    /// - Throws: `StreamError`, `JSONError` where a file can't be read.
    package init(directory: String) throws {
        let own = try readJSON("\(directory)/config.json")["gpt2kit"]
        configuration = (own?.object ?? []).filter { ["training", "label_shares"].contains($0.key) }
        if let texts = try TrainedTexts(directory: directory) { files.append((TrainedTexts.fileName, texts.bytes)) }
    }
}

extension Classifier {
    /// Fails where `directory` holds a model, of this project or another, that a new one would replace.
    ///
    /// - Throws: `ModelExists`.
    public static func requireNone(in directory: String) throws(ModelExists) {
        try ModelExists.requireNone(in: directory)
    }

    /// Writes the model directory. All of its files appear, or none.
    ///
    /// Its head has no bias, because `GPT2ForSequenceClassification` has none; see ``foldingHeadBias()``.
    ///
    /// - Throws: `StreamError` where it can't be written; ``OutOfMemory``.
    package func write(
        directory: String, precision: StoredPrecision = .float32, story: ModelStory = ModelStory()
    ) throws {
        let tensors = try foldingHeadBias()
        var files = ModelDirectory(
            config: config, tokenizer: tokenizer, padToken: padToken, paddedLength: paddedLength,
            architecture: "GPT2ForSequenceClassification", tensors: tensors, precision: precision)
        files.members = [
            JSONMember(key: "num_labels", value: .number(labels.count)),
            JSONMember(key: "problem_type", value: .string("single_label_classification")),
            JSONMember(
                key: "id2label",
                value: .object(labels.enumerated().map { .init(key: String($0), value: .string($1)) })),
            JSONMember(
                key: "label2id",
                value: .object(labels.enumerated().map { .init(key: $1, value: .number(String($0))) })),
        ]
        files.own.before = [
            JSONMember(key: "pooling", value: .string(pooling.rawValue)),
            JSONMember(key: "causal_mask", value: .bool(config.isCausal)),
            JSONMember(key: "max_length", value: .number(paddedLength)),
            JSONMember(key: "tokenizer_sha256", value: .string(tokenizerSHA256)),
        ]
        files.own.after = story.configuration
        files.more = story.files
        try files.write(directory, card: card(story, hasHeadBias: tensors.contains { $0.name == "score.bias" }))
    }

    /// All tensors under Hugging Face's names, the head's bias folded into ln_f.bias: W·y + b becomes W·(y + δ), with
    /// the δ of least norm for which W·δ = b. Where the rows of W depend on each other, as after much weight decay, no
    /// such δ exists. Then δ may move all logits of a text by the same number, which doesn't change probabilities.
    /// Where no δ does that either, `score.bias` stays among the tensors.
    ///
    /// - Throws: ``OutOfMemory``.
    package func foldingHeadBias() throws -> [(name: String, tensor: Tensor)] {
        let C = config.width
        let bias = try parameters.finalNormBias.copied()
        let folded = try foldedBias()
        if let folded { for i in 0..<C { bias.mutablePointer[i] += Float(folded[i]) } }
        return parameters.named.compactMap { name, tensor in
            switch name {
            case "score.bias": folded == nil ? (name, tensor) : nil
            case "score.weight": (name, tensor)
            case "ln_f.bias": ("transformer." + name, bias)
            default: ("transformer." + name, tensor)
            }
        }
    }

    /// δ [C]; nil where none exists.
    private func foldedBias() throws -> [Double]? {
        let (W, b) = (parameters.headWeight, parameters.headBias)
        if let delta = leastNormSolution(W, b) { return delta }
        // Probabilities depend on differences of logits alone: those to the last class.
        let (K, C) = (W.shape[0], W.shape[1])
        let (differences, offsets) = (try Tensor(shape: [K - 1, C]), try Tensor(shape: [K - 1]))
        for k in 0..<K - 1 {
            offsets.mutablePointer[k] = b.pointer[k] - b.pointer[K - 1]
            for i in 0..<C { differences.mutablePointer[k * C + i] = W.pointer[k * C + i] - W.pointer[(K - 1) * C + i] }
        }
        return leastNormSolution(differences, offsets)
    }
}

/// δ [C] of least norm with W·δ = b, for W [K,C]: δ = Wᵀ(W·Wᵀ)⁻¹b, in double precision. nil where W·Wᵀ [K,K] is
/// singular to working precision.
package func leastNormSolution(_ W: Tensor, _ b: Tensor) -> [Double]? {
    let (K, C) = (W.shape[0], W.shape[1])
    func row(_ k: Int) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: W.pointer + k * C, count: C) }
    // Gaussian elimination with pivots on [W·Wᵀ | b].
    var A = (0..<K).map { i in
        (0..<K).map { j in zip(row(i), row(j)).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } } + [
            Double(b.pointer[i])
        ]
    }
    let scale = (0..<K).map { A[$0][$0] }.max() ?? 0
    for column in 0..<K {
        guard let pivot = (column..<K).max(by: { A[$0][column].magnitude < A[$1][column].magnitude }),
            A[pivot][column].magnitude > 1e-8 * scale
        else { return nil }
        A.swapAt(column, pivot)
        for i in column + 1..<max(K, column + 1) {
            let factor = A[i][column] / A[column][column]
            for j in column...K { A[i][j] -= factor * A[column][j] }
        }
    }
    var y = [Double](repeating: 0, count: K)
    for i in (0..<K).reversed() {
        y[i] = (A[i][K] - (i + 1..<max(K, i + 1)).reduce(0) { $0 + A[i][$1] * y[$1] }) / A[i][i]
    }
    return (0..<C).map { c in (0..<K).reduce(0) { $0 + Double(W.pointer[$1 * C + c]) * y[$1] } }
}
