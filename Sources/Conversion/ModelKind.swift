// The kinds of models that are read, and what has to be said of each.

/// What kind of model was found.
enum ModelKind {
    /// GPT-2 as OpenAI published it.
    case openAI
    /// A state dict of the book's model class.
    case book(isClassifier: Bool)
    /// An adapter of PEFT.
    case adapter(isClassifier: Bool)
    /// A model directory, of this project or of transformers.
    case directory(isClassifier: Bool)

    /// The choices that make a difference to such a model.
    var choices: Set<ConversionChoices.Choice> {
        switch self {
        case .openAI: []
        case .book(isClassifier: true): [.tokenizer, .heads, .labels, .pooling, .length]
        case .book: [.tokenizer, .heads]
        case .adapter(isClassifier: true): [.base, .tokenizer, .labels, .pooling, .length]
        case .adapter: [.base, .tokenizer]
        case .directory(isClassifier: true): [.pooling, .length]
        case .directory: [.tokenizer]
        }
    }

    /// What messages call it.
    var name: String {
        switch self {
        case .openAI: "a checkpoint of OpenAI's"
        case .book(isClassifier: true): "a classifier of the book's"
        case .book: "a language model of the book's"
        case .adapter(isClassifier: true): "an adapter of a classifier"
        case .adapter: "an adapter of a language model"
        case .directory(isClassifier: true): "a classifier's directory"
        case .directory: "a language model's directory"
        }
    }
}
