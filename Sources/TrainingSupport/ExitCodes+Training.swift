// The exit codes of filters that train.

import FilterSupport

extension ExitCodes {
    /// Those of `pretrain` and `finetune`.
    public static var training: ExitCodes {
        ExitCodes(
            [
                .badData: "bad shard, damaged weights, or a loss that isn't finite",
                .unavailable: "oneDNN can't do what is needed",
                .cannotCreate: "--out can't be written, holds a model (--force), or has checkpoints (--resume)",
                .temporaryFailure: "another run is writing the same --out",
                .configuration: "base, tokenizer, shards and checkpoints don't belong together",
            ], cleansUp: true)
    }
}
