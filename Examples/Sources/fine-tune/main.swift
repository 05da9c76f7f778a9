// Fine-tunes a model on lines of LABEL, a tab and a text, and keeps every tenth for validation:
//
//     swift run -c release fine-tune ../pipelines/base model < ../pipelines/demo/messages.tsv

import GPT2Kit

var (texts, validation): ([LabelledText], [LabelledText]) = ([], [])
while let line = readLine() {
    let parts = line.split(separator: "\t", maxSplits: 1)
    guard parts.count == 2 else { continue }
    let text = LabelledText(String(parts[1]), label: String(parts[0]))
    if (texts.count + validation.count) % 10 == 9 { validation.append(text) } else { texts.append(text) }
}

var settings = TrainingSettings()
settings.trainable = .all
settings.pooling = .meanText
settings.epochs = 3
settings.batch = 16
settings.learningRate = 3e-4
settings.schedule.shape = .linear

let classifier = try TextClassifier.train(
    texts, validation: validation, base: CommandLine.arguments[1], settings: settings, to: CommandLine.arguments[2]
) { event in
    if case .step(let step, _, let loss, _, _) = event, step % 20 == 0 { print("step \(step): loss \(loss)") }
}
let right = zip(validation, try classifier.classify(validation.map(\.text))).count { $0.label == $1.label }
print("\(right) of \(validation.count) validation texts are right")
