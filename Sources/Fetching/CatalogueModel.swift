// The models that can be fetched, and what their files have to be.

/// What is known of a file of a model before it comes.
struct KnownFile: Sendable, Equatable {
    /// Bytes.
    var size: Int?
    /// SHA-256.
    var hash: String?
}

/// A model that can be fetched.
public struct CatalogueModel: Sendable, Equatable {
    /// As ``named(_:revision:)`` and the mirror's folders have it: `gpt2-medium`, `owner/name`.
    public let name: String
    /// Its place on the hub: `openai-community/gpt2`.
    public let repository: String
    /// The commit, tag or branch whose files these are.
    public let revision: String
    /// How many parameters it has, in words; nil where that isn't known.
    public let parameters: String?
    /// What is known of its files, by name.
    let known: [String: KnownFile]
    /// Blocks, heads and width; nil where they aren't known.
    let shape: Shape?

    /// What config.json has to say.
    struct Shape: Sendable, Equatable {
        let layers: Int, heads: Int, width: Int
    }

    /// What a model can consist of, in the order in which it is fetched. Parts of weights have further names.
    public static let fileNames = [
        "config.json", "vocab.json", "merges.txt", "tokenizer.json", "model.safetensors",
        "model.safetensors.index.json",
    ]

    /// Whether its weights have a known hash.
    public var isPinned: Bool { known["model.safetensors"]?.hash != nil }

    /// GPT-2's four sizes and DistilGPT-2. The sizes of GPT-2 share a tokenizer; only the smallest one's weights are pinned.
    public static let all: [CatalogueModel] = [
        gpt2("gpt2", "124M", 12, 12, 768),
        gpt2("gpt2-medium", "355M", 24, 16, 1024),
        gpt2("gpt2-large", "774M", 36, 20, 1280),
        gpt2("gpt2-xl", "1.5B", 48, 25, 1600),
        CatalogueModel(
            name: "distilgpt2", repository: "distilbert/distilgpt2", revision: "main", parameters: "82M", known: [:],
            shape: Shape(layers: 6, heads: 12, width: 768)),
    ]

    /// The model that is called `name`: one of ``all``, or `owner/name` on the hub. nil for anything else.
    ///
    /// - Parameter revision: a commit, tag or branch; nil for the pinned one, or `main`.
    public static func named(_ name: String, revision: String? = nil) -> CatalogueModel? {
        if let model = all.first(where: { $0.name == name }) {
            guard let revision, revision != model.revision else { return model }
            // Another version has other hashes.
            return CatalogueModel(
                name: name, repository: model.repository, revision: revision, parameters: model.parameters, known: [:],
                shape: model.shape)
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy(isName) else { return nil }
        return CatalogueModel(
            name: name, repository: name, revision: revision ?? "main", parameters: nil, known: [:], shape: nil)
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && !text.hasPrefix(".") && !text.contains("..")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "-_.".utf8.contains(byte)
                }
            }
    }

    private static func gpt2(
        _ name: String, _ parameters: String, _ layers: Int, _ heads: Int, _ width: Int
    ) -> CatalogueModel {
        let isSmall = name == "gpt2"
        var known = [
            "vocab.json": KnownFile(hash: "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"),
            "merges.txt": KnownFile(hash: "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
        ]
        if isSmall {
            known["model.safetensors"] = KnownFile(
                size: 548_105_171, hash: "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707")
        }
        return CatalogueModel(
            name: name, repository: "openai-community/\(name)",
            revision: isSmall ? "607a30d783dfa663caf39e06633721c8d4cfcd7e" : "main", parameters: parameters,
            known: known, shape: Shape(layers: layers, heads: heads, width: width))
    }
}
