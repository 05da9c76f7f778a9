// swift-tools-version: 6.0
import PackageDescription

// Two programs that use GPT2Kit as any package would. `swift run classify MODEL < messages.txt`
let package = Package(
    name: "examples",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "gpt2-filters", path: "..")],
    targets: [
        .executableTarget(name: "classify", dependencies: [.product(name: "GPT2Kit", package: "gpt2-filters")]),
        .executableTarget(name: "fine-tune", dependencies: [.product(name: "GPT2Kit", package: "gpt2-filters")]),
    ],
    swiftLanguageModes: [.v6]
)
