// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "gpt2-filters",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "GPT2Kit", targets: ["GPT2Kit"]),
        .library(name: "Records", targets: ["Records"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // The C libraries, each behind one door.
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
        .systemLibrary(
            name: "CLibzip", pkgConfig: "libzip",
            providers: [.apt(["libzip-dev"]), .brew(["libzip"])]),

        .systemLibrary(
            name: "CLibcrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),

        // Libraries, in the order of the data.
        .target(name: "Records"),
        .target(name: "Hashing", dependencies: [.target(name: "CLibcrypto", condition: .when(platforms: [.linux]))]),
        .target(
            name: "Fetching",
            dependencies: ["CLibzip", "Records", "Hashing"]),
        .target(
            name: "GPT2Kit",
            dependencies: ["COneDNN", "Records", "Hashing"]),
        .target(
            name: "FilterSupport",
            dependencies: ["Records", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

        // The filters, in the order of the data.
        filter("fetch-unzip", "Fetching"),
        filter("balance"),
        filter("split"),
        filter("train-tokenizer", "GPT2Kit"),
        filter("tokenize-pad", "GPT2Kit"),
        filter("finetune", "GPT2Kit"),
        filter("score", "GPT2Kit"),
        filter("evaluate", "GPT2Kit"),
        filter("fetch-model", "Fetching"),

        // For `make bench`; not installed.
        filter("measure", "GPT2Kit"),

        // Tests mirror the folders they test.
        .testTarget(name: "RecordsTests", dependencies: ["Records"]),
        .testTarget(name: "HashingTests", dependencies: ["Hashing"]),
        .testTarget(name: "FetchingTests", dependencies: ["Fetching", "Records"]),
        .testTarget(name: "GPT2KitTests", dependencies: ["GPT2Kit", "Records"]),
        .testTarget(name: "FilterTests", dependencies: ["Records"]),
    ],
    swiftLanguageModes: [.v6]
)

/// An executable. Whatever module it imports is named here, or a change of that module wouldn't compile it anew.
func filter(_ name: String, _ libraries: Target.Dependency...) -> Target {
    .executableTarget(
        name: name,
        dependencies: libraries + [
            "FilterSupport", "Records", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ])
}
