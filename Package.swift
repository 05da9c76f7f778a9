// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "gpt2-filters",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "GPT2Kit", targets: ["GPT2Kit", "Tokenization"]),
        .library(name: "Records", targets: ["Records"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        // For `make docs` alone.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        // The C libraries, each behind one door.
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
        // Ours: what Swift's SIMD types can't do, which is to be compiled for several CPUs.
        .target(name: "CProducts"),
        .systemLibrary(
            name: "CLibzip", pkgConfig: "libzip",
            providers: [.apt(["libzip-dev"]), .brew(["libzip"])]),
        .systemLibrary(
            name: "CLibcrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),

        // The floors: each stands on those above it in this list, and on nothing else.
        .target(name: "Platform"),
        .target(name: "Records", dependencies: ["Platform"]),
        .target(
            name: "Hashing",
            dependencies: ["Records", .target(name: "CLibcrypto", condition: .when(platforms: [.linux]))]),
        .target(name: "Safetensors", dependencies: ["Platform", "Records"]),
        .target(name: "Fetching", dependencies: ["CLibzip", "Platform", "Records", "Hashing", "Safetensors"]),
        .target(name: "Evaluation", dependencies: ["Platform", "Records"]),
        .target(name: "LinearModel", dependencies: ["Platform", "Records", "Hashing", "Safetensors", "Evaluation"]),
        .target(name: "Tokenization", dependencies: ["Platform", "Records", "Hashing", "Safetensors"]),
        .target(
            name: "GPT2Kit",
            dependencies: [
                "COneDNN", "CProducts", "Platform", "Records", "Hashing", "Safetensors", "Tokenization", "Evaluation",
                "LinearModel",
            ]),
        .target(
            name: "Conversion", dependencies: ["Platform", "Records", "Safetensors", "Tokenization", "GPT2Kit"]),
        .target(
            name: "FilterSupport",
            dependencies: ["Platform", "Records", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .target(
            name: "TrainingSupport",
            dependencies: [
                "FilterSupport", "GPT2Kit", "Records", "Tokenization",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // The filters, in the order of the data.
        filter("fetch-unzip", "Fetching"),
        filter("balance"),
        filter("split"),
        filter("train-tokenizer", "Safetensors", "Tokenization"),
        filter("tokenize-pad", "Tokenization"),
        filter("pretrain", "GPT2Kit", "Tokenization", "TrainingSupport"),
        filter("finetune", "GPT2Kit", "Tokenization", "TrainingSupport"),
        filter("generate", "GPT2Kit", "Tokenization"),
        filter("score", "GPT2Kit", "Evaluation", "LinearModel"),
        filter("baseline", "LinearModel"),
        filter("evaluate", "Evaluation"),
        filter("report", "Evaluation", "Hashing"),
        filter("explain", "GPT2Kit"),
        filter("suspects", "GPT2Kit", "Evaluation", "Tokenization", "TrainingSupport"),
        filter("calibrate", "GPT2Kit", "Evaluation", "Tokenization"),
        filter("fetch-model", "Fetching"),
        filter("convert-model", "Conversion", "GPT2Kit"),

        // For `make bench`; not installed.
        filter("measure", "GPT2Kit", "Tokenization", path: "Benchmarks/measure"),

        // Tests mirror the folders they test.
        .target(name: "TestSupport", dependencies: ["Records", "Tokenization"], path: "Tests/Support"),
        .testTarget(name: "RecordsTests", dependencies: ["Records", "TestSupport"]),
        .testTarget(name: "HashingTests", dependencies: ["Hashing"]),
        .testTarget(name: "SafetensorsTests", dependencies: ["Safetensors", "Records", "TestSupport"]),
        .testTarget(name: "FetchingTests", dependencies: ["Fetching", "Records", "TestSupport"]),
        .testTarget(
            name: "TokenizationTests", dependencies: ["Tokenization", "Safetensors", "Records", "TestSupport"]),
        .testTarget(
            name: "GPT2KitTests",
            dependencies: [
                "GPT2Kit", "Evaluation", "Tokenization", "Safetensors", "Records", "Platform", "TestSupport",
            ]),
        .testTarget(
            name: "ConversionTests",
            dependencies: ["Conversion", "GPT2Kit", "Safetensors", "Tokenization", "Records", "TestSupport"]),
        .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "Records", "TestSupport"]),
        .testTarget(name: "LinearModelTests", dependencies: ["LinearModel", "Records", "TestSupport"]),
        .testTarget(name: "FilterTests", dependencies: ["Records", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)

/// An executable. Whatever module it imports is named here, or a change of that module wouldn't compile it anew.
func filter(_ name: String, _ libraries: Target.Dependency..., path: String? = nil) -> Target {
    .executableTarget(
        name: name,
        dependencies: libraries + [
            "FilterSupport", "Records", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ], path: path)
}
