// The models that can be fetched by name, and what their files have to be.

/// A file of a model.
public struct ModelFile: Sendable, Equatable {
    /// As it is called in a model's directory: `config.json`.
    public let name: String
    /// Bytes, where they are known.
    public let size: Int?
    /// SHA-256, where it is known.
    public let hash: String?
}

/// A model that can be fetched.
public struct CatalogueModel: Sendable, Equatable {
    /// As ``named(_:)`` and the mirror's folders have it: `gpt2-medium`.
    public let name: String
    /// What belongs to it, the largest last.
    public let files: [ModelFile]
    let repository: String
    /// The commit whose files these are, or `main` where none is pinned.
    let revision: String
    let layers: Int
    let heads: Int
    let width: Int

    /// Whether every file with numbers in it has a known hash.
    public var isPinned: Bool { revision != "main" }

    func address(of file: String) -> String {
        "https://huggingface.co/\(repository)/resolve/\(revision)/\(file)"
    }

    /// The four sizes of GPT-2. They share a tokenizer; only the smallest one's weights are pinned.
    public static let all: [CatalogueModel] = [
        gpt2("gpt2", 12, 12, 768),
        gpt2("gpt2-medium", 24, 16, 1024),
        gpt2("gpt2-large", 36, 20, 1280),
        gpt2("gpt2-xl", 48, 25, 1600),
    ]

    /// The model that is called `name`; nil where there is none.
    public static func named(_ name: String) -> CatalogueModel? {
        all.first { $0.name == name }
    }

    private static func gpt2(_ name: String, _ layers: Int, _ heads: Int, _ width: Int) -> CatalogueModel {
        let isSmall = name == "gpt2"
        return CatalogueModel(
            name: name,
            files: [
                ModelFile(name: "config.json", size: nil, hash: nil),
                ModelFile(
                    name: "vocab.json", size: nil,
                    hash: "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"),
                ModelFile(
                    name: "merges.txt", size: nil,
                    hash: "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
                ModelFile(
                    name: "model.safetensors", size: isSmall ? 548_105_171 : nil,
                    hash: isSmall ? "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707" : nil),
            ],
            repository: "openai-community/\(name)",
            revision: isSmall ? "607a30d783dfa663caf39e06633721c8d4cfcd7e" : "main", layers: layers, heads: heads,
            width: width)
    }
}
