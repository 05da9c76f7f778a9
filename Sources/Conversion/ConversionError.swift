// Why a model of another program can't be taken over.

import Records

/// What is wrong with a model that is to be converted.
public enum ConversionError: DiagnosableError, Equatable {
    /// Neither a model directory, a checkpoint, an adapter nor a safetensors file.
    case unknownKind(path: String)
    /// PyTorch's pickle format, which runs code when it is read.
    case pickle(path: String)
    /// A tensor that the format has to have is missing.
    case missingTensor(String, file: String)
    /// A tensor has another shape than the others ask for.
    case wrongShape(String, expected: [Int], got: [Int], file: String)
    /// A tensor that no model of this format has.
    case unknownTensor(String, file: String)
    /// A tensor has a number that is infinite or NaN.
    case notFinite(String, file: String)
    /// A file that isn't what its name says, at this byte where that is known.
    case malformed(String, at: Int?, file: String)
    /// A field that has to be there is missing, or has another type.
    case missingField(String, file: String)
    /// Something that GPT-2 doesn't have, or that this program doesn't compute.
    case unsupported(String, remedy: String, file: String)
    /// A choice that the files don't tell and the user has to make.
    case needsChoice(String, remedy: String, Diagnosis.Choice, file: String)
    /// Choices that make no difference to a model of this kind.
    case unusedChoices([ConversionChoices.Choice], model: String, file: String)
    /// There is a file where one is to be written.
    case fileExists(path: String)
    /// The numbers of labels and of outputs of the head differ.
    case labelCount(labels: Int, outputs: Int, file: String)
    /// Two labels are the same, or one is empty.
    case sameLabels(file: String)

    public var diagnosis: Diagnosis {
        switch self {
        case .unknownKind(let path):
            Diagnosis(
                source: path, problem: "there is no model that is known here",
                remedy: "name a safetensors file, or a directory with config.json, adapter_config.json or hparams.json",
                status: .badData)
        case .pickle(let path):
            Diagnosis(
                source: path, problem: "a pickle can run code when it is read, so it isn't",
                remedy:
                    "if you trust it, write safetensors: python3 -c 'import sys, torch; from safetensors.torch import "
                    + "save_file; save_file({k: v.clone().contiguous() for k, v in torch.load(sys.argv[1], "
                    + "weights_only=True).items()}, \"model.safetensors\")' \(ShellWords.joined([path]))",
                status: .badData)
        case .missingTensor(let name, let file):
            Diagnosis(
                source: file, problem: "tensor \(name) is missing", remedy: "export the model again", status: .badData)
        case .wrongShape(let name, let expected, let got, let file):
            Diagnosis(
                source: file, problem: "tensor \(name) has shape \(got) instead of \(expected)",
                remedy: "export the model again, with all of its tensors from one model", status: .badData)
        case .unknownTensor(let name, let file):
            Diagnosis(
                source: file, problem: "tensor \(name) is none of GPT-2's", remedy: "only GPT-2 can be converted",
                status: .badData)
        case .notFinite(let name, let file):
            Diagnosis(
                source: file, problem: "tensor \(name) holds numbers that are infinite or NaN",
                remedy: "train or fetch the model again", status: .badData)
        case .malformed(let what, let at, let file):
            Diagnosis(
                source: file, position: at.map { .byte($0) }, problem: what, remedy: "fetch the model again",
                status: .badData)
        case .missingField(let field, let file):
            Diagnosis(
                source: file, problem: "\(field) is missing or has the wrong type", remedy: "fetch the model again",
                status: .badData)
        case .unsupported(let what, let remedy, let file):
            Diagnosis(source: file, problem: what, remedy: remedy, status: .configuration)
        case .needsChoice(let what, let remedy, let choice, let file):
            Diagnosis(source: file, problem: what, remedy: remedy, status: .usage, choice: choice)
        case .unusedChoices(let choices, let model, let file):
            Diagnosis(
                source: file,
                problem: "\(model) has no use for \(choices.map(\.rawValue).joined(separator: ", "))",
                remedy: choices.count == 1 ? "leave it out" : "leave them out", status: .usage)
        case .fileExists(let path):
            Diagnosis(
                source: path, problem: "a file already exists here", remedy: "name another one, or replace it",
                status: .cannotCreate, choice: .replacing)
        case .sameLabels(let file):
            Diagnosis(
                source: file, problem: "two labels are the same, or one is empty",
                remedy: "give every output of the head a name of its own", status: .usage)
        case .labelCount(let labels, let outputs, let file):
            Diagnosis(
                source: file, problem: "the head has \(outputs) outputs, but there are \(labels) labels",
                remedy: "name as many labels, in the order of the outputs", status: .usage)
        }
    }
}
