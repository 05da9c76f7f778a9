// Continues texts, token by token.

import Records
import Tokenization

/// A language model that writes on.
public final class TextGenerator {
    /// How the next token is chosen.
    public var sampler = TokenSampler()
    /// The most tokens of a continuation.
    public var tokens = 40
    /// The seed of what is drawn. What a prompt gets depends on it, on the prompt's number and on the sample's.
    public var seed: UInt64 = 123

    private let tokenizer: Tokenizer
    private var encoder: TokenEncoder
    private let model: CachedLanguageModel

    /// Why a continuation is over.
    public enum End: String, Sendable {
        /// It has ``TextGenerator/tokens`` tokens.
        case length
        /// The model has written `<|endoftext|>`.
        case endOfText = "end-of-text"
        /// The model has no further position.
        case positions
    }

    /// What the model has written.
    public struct Continuation: Sendable {
        /// Its tokens, without `<|endoftext|>`.
        public let tokens: [Int32]
        /// The bytes of its text, which may end within a character.
        public let utf8: [UInt8]
        /// Why it is over.
        public let end: End
    }

    /// - Throws: ``OutOfMemory``.
    public init(_ model: PretrainedModel, workers: Workers) throws {
        tokenizer = model.tokenizer
        encoder = TokenEncoder(model.tokenizer)
        self.model = try CachedLanguageModel(model.parameters, config: model.config, workers: workers)
    }

    /// Continuations of one prompt.
    ///
    /// - Parameters:
    ///   - prompt: UTF-8. An empty one is the beginning of a text.
    ///   - number: of the prompt among all, from 0.
    ///   - samples: how many continuations to write.
    ///   - written: gets the bytes of every token as soon as it is written.
    ///   - finished: gets every continuation.
    /// - Throws: ``GenerationError``; what the closures throw.
    public func write(
        after prompt: [UInt8], number: Int, samples: Int = 1,
        written: (_ utf8: [UInt8]) throws -> Void = { _ in }, finished: (Continuation) throws -> Void
    ) throws {
        var start = encoder.encode(prompt)
        if start.isEmpty { start = [tokenizer.endOfText] }
        guard start.count <= model.positions else {
            throw GenerationError.promptTooLong(tokens: start.count, positions: model.positions)
        }
        model.truncate(to: 0)
        model.append(start)
        let first = Array(model.logits)
        for sample in 0..<samples {
            model.truncate(to: start.count)
            var generator = SeededGenerator(
                seed: seed ^ UInt64(number) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(sample) &* 0xD1B5_4A32_D192_ED03)
            try finished(try continuation(first, &generator, written))
        }
    }

    /// - Parameter first: the logits of the first token, which all samples of a prompt have in common.
    private func continuation(
        _ first: [Float], _ generator: inout SeededGenerator, _ written: (_ utf8: [UInt8]) throws -> Void
    ) throws -> Continuation {
        var ids: [Int32] = []
        var text: [UInt8] = []
        func over(_ end: End) -> Continuation { Continuation(tokens: ids, utf8: text, end: end) }
        func next(_ logits: UnsafeBufferPointer<Float>) throws -> Int32 {
            guard logits.allSatisfy(\.isFinite) else { throw GenerationError.logitsNotFinite }
            // The model may have more logits than there are tokens.
            return sampler.token(UnsafeBufferPointer(rebasing: logits.prefix(tokenizer.vocabularySize)), &generator)
        }
        while ids.count < tokens {
            let token = try ids.isEmpty ? first.withUnsafeBufferPointer(next) : next(model.logits)
            if token == tokenizer.endOfText { return over(.endOfText) }
            let bytes = tokenizer.decode([token]) ?? []
            ids.append(token)
            text += bytes
            try written(bytes)
            if model.count == model.positions { return over(ids.count < tokens ? .positions : .length) }
            if ids.count < tokens { model.append([token]) }
        }
        return over(.length)
    }
}
