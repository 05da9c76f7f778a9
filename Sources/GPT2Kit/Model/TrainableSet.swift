// Which part of a model is trained.

/// Which parameters are trained. The head always is.
public enum TrainableSet: Sendable, Equatable, CustomStringConvertible {
    /// The head alone.
    case head
    /// The last N blocks, the final LayerNorm and the head.
    case lastBlocks(Int)
    /// Everything, embeddings included.
    case all
    /// Adapters of the layers of all blocks, and the head; all else stays as it is.
    case lora(LoRA)

    /// "head", "last-N", "all" or "lora"; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "head": self = .head
        case "all": self = .all
        case "lora": self = .lora(LoRA())
        default:
            guard text.hasPrefix("last-"), let count = Int(text.dropFirst(5)), count > 0 else { return nil }
            self = .lastBlocks(count)
        }
    }

    public var description: String {
        switch self {
        case .head: "head"
        case .lastBlocks(let count): "last-\(count)"
        case .all: "all"
        case .lora: "lora"
        }
    }

    /// The first block that is trained, of `blocks`; `blocks` itself where none is.
    package func firstBlock(of blocks: Int) -> Int {
        switch self {
        case .head: blocks
        case .lastBlocks(let count): max(0, blocks - count)
        case .all, .lora: 0
        }
    }
}
