// Every way in which a model directory can be wrong.

import Records

/// What is wrong with a model directory, or with what is used together with it.
public enum ModelError: DiagnosableError, Equatable {
    /// config.json describes a model that can't exist.
    case impossibleConfiguration(String, file: String)
    /// config.json lacks a field, or has one of another type.
    case missingField(String, file: String)
    /// config.json has a value that this field can't have.
    case wrongValue(String, needed: String, file: String)
    /// config.json asks for something that this program doesn't compute.
    case unsupported(String, file: String)
    /// It is the config.json of a linear model.
    case linear(file: String)
    /// A model that gives a text a number, or several labels.
    case notSingleLabel(String, file: String)
    /// A tensor of the weights is missing.
    case missingTensor(String, file: String)
    /// A tensor of the weights has another shape than config.json says.
    case wrongShape(String, expected: [Int], got: [Int], file: String)
    /// The head is no matrix of classes.
    case wrongHead(shape: [Int], file: String)
    /// The weights have more blocks than config.json.
    case surplusBlock(String, blocks: Int, file: String)
    /// A tensor holds a number that is infinite or NaN.
    case notFinite(String, file: String)
    /// The weights don't have the checksum that config.json names.
    case otherWeights(file: String)
    /// The prepacked copy of the weights isn't what was written. The next start packs the weights anew where it could be removed.
    case damagedCopy(file: String, isRemoved: Bool)
    /// config.json names the checksum of one weight file, but there are several.
    case weightsInParts(file: String)
    /// The directory has no classification head where one is needed.
    case noHead(file: String)
    /// The head has another number of classes than there are labels.
    case headMismatch(head: Int, labels: Int, file: String)
    /// Tokens, model and tokenizer don't belong together.
    case mismatch(String, remedy: String, choice: Diagnosis.Choice? = nil, file: String)
    /// The base has no tokenizer of its own, and none was named.
    case noTokenizer(base: String)
    /// The name after `random:` is no known model.
    case unknownModel(String)
    /// The directory to start from doesn't exist.
    case noBase(String)
    /// The hashes of the training texts aren't what was written.
    case damagedHashes(file: String)
    /// The decision of a model directory can't be used.
    case badDecision(String, file: String)

    public var diagnosis: Diagnosis {
        switch self {
        case .impossibleConfiguration(let what, let file):
            Diagnosis(
                source: file, problem: "no model can have this shape: \(what)",
                remedy: "correct the file or fetch the model again", status: .configuration)
        case .missingField(let field, let file):
            Diagnosis(
                source: file, problem: "\(field) is missing or has the wrong type",
                remedy: "use the config.json of a GPT-2 model", status: .configuration)
        case .wrongValue(let field, let needed, let file):
            Diagnosis(
                source: file, problem: "\(field) has to be \(needed)", remedy: "restore the model directory",
                status: .configuration)
        case .unsupported(let what, let file):
            Diagnosis(
                source: file, problem: "\(what) is not supported", remedy: "use a GPT-2 model as OpenAI released it",
                status: .configuration)
        case .linear(let file):
            Diagnosis(
                source: file, problem: "this is a linear model of baseline",
                remedy: "name a directory with a GPT-2 model",
                status: .configuration)
        case .notSingleLabel(let what, let file):
            Diagnosis(
                source: file, problem: "the model doesn't give each text one of several labels (\(what))",
                remedy: "use a classifier (problem_type single_label_classification)", status: .configuration)
        case .missingTensor(let name, let file):
            Diagnosis(
                source: file, problem: "tensor \(name) is missing", remedy: "fetch or export the model again",
                status: .configuration)
        case .wrongHead(let shape, let file):
            Diagnosis(
                source: file, problem: "tensor score.weight has shape \(shape), which is no head of a classifier",
                remedy: "fetch or export the model again", status: .configuration)
        case .surplusBlock(let name, let blocks, let file):
            Diagnosis(
                source: file, problem: "there is a tensor \(name), but config.json has \(blocks) blocks",
                remedy: "use weights and config.json of the same model", status: .configuration)
        case .wrongShape(let name, let expected, let got, let file):
            Diagnosis(
                source: file, problem: "tensor \(name) has shape \(got) where config.json asks for \(expected)",
                remedy: "use weights and config.json of the same model", status: .configuration)
        case .notFinite(let name, let file):
            Diagnosis(
                source: file, problem: "tensor \(name) holds numbers that are infinite or NaN",
                remedy: "train or fetch the model again", status: .badData)
        case .otherWeights(let file):
            Diagnosis(
                source: file, problem: "its weights don't have the checksum that config.json names",
                remedy: "restore the model directory, or train again", status: .badData)
        case .damagedCopy(let file, let isRemoved):
            Diagnosis(
                source: file, problem: "the prepacked copy of the weights isn't what was written",
                remedy: isRemoved ? "it was removed: run again" : "remove it", status: .badData)
        case .weightsInParts(let file):
            Diagnosis(
                source: file, problem: "the weights are in several files, but config.json names the checksum of one",
                remedy: "restore the model directory, or train again", status: .badData)
        case .noHead(let file):
            Diagnosis(
                source: file, problem: "no classification head (score.weight)",
                remedy: "fine-tune the model first", status: .configuration)
        case .headMismatch(let head, let labels, let file):
            Diagnosis(
                source: file, problem: "the head has \(head) classes but there are \(labels) labels",
                remedy: "use a base model without a head, or data with the model's labels", status: .configuration)
        case .mismatch(let what, let remedy, let choice, let file):
            Diagnosis(source: file, problem: what, remedy: remedy, status: .configuration, choice: choice)
        case .noTokenizer(let base):
            Diagnosis(
                source: "arguments", problem: "\(base) has no tokenizer",
                remedy: "name the directory that tokenize-pad used",
                status: .usage, choice: .tokenizer)
        case .unknownModel(let name):
            Diagnosis(
                source: "arguments", problem: "no base is called random:\(name)",
                remedy: "use random:gpt2, random:gpt2-medium, random:gpt2-large, random:gpt2-xl or random:CONFIG.json",
                status: .usage)
        case .noBase(let directory):
            Diagnosis(
                source: directory, problem: "no such directory",
                remedy: "fetch GPT-2 with fetch-model, or start from random weights with the base random:gpt2",
                status: .noInput)
        case .damagedHashes(let file):
            Diagnosis(
                source: file, problem: "these aren't hashes in ascending order, of 8 bytes each",
                remedy: "copy the model directory again, or train again", status: .badData)
        case .badDecision(let problem, let file):
            Diagnosis(
                source: file, problem: problem, remedy: "fit it again with calibrate, or remove it",
                status: .configuration)
        }
    }
}
