// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that whoever builds the filters builds no web server.
let package = Package(
    name: "score-server",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "gpt2-filters", path: ".."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        .executableTarget(
            name: "score-server",
            dependencies: [
                .product(name: "GPT2Kit", package: "gpt2-filters"),
                .product(name: "Records", package: "gpt2-filters"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            resources: [
                .embedInCode("Page/page.html"), .embedInCode("Page/page.js"), .embedInCode("Page/page.css"),
                .embedInCode("Page/openapi.json"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
