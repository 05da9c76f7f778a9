// Labels lines of text: swift run -c release classify ../build/demo/model < messages.txt

import GPT2Kit

let classifier = try TextClassifier(directory: CommandLine.arguments[1])
while let line = readLine() {
    let result = try classifier.classify(line)
    let words = try classifier.explain(line).sorted { $0.weight > $1.weight }.prefix(3).map(\.word)
    print("\(result.label) \(result.probability): \(words.joined(separator: ", "))")
}
