// The identity of a model's numbers.

import Hashing

extension GPT2Parameters {
    /// The SHA-256, in hexadecimal, of names, shapes and numbers of the parameters that `isWanted` picks.
    ///
    /// Tensors are hashed in tiles, by all cores, and the result is the hash of the tiles' hashes.
    package func sha256(_ workers: Workers, of isWanted: (_ name: String) -> Bool) -> String {
        let size = 1 << 20
        let wanted = named.filter { isWanted($0.name) }
        let tiles = wanted.flatMap { item in
            stride(from: 0, to: item.tensor.count, by: size).map { first in
                (item.tensor, first..<min(first + size, item.tensor.count))
            }
        }
        var digests = [[UInt8]](repeating: [], count: tiles.count)
        digests.withUnsafeMutableBufferPointer { digests in
            nonisolated(unsafe) let digests = digests
            workers.forEach(tiles.count) { index in
                let (tensor, range) = tiles[index]
                let hash = SHA256()
                hash.update(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: tensor.values[range])))
                digests[index] = hash.digest
            }
        }
        let hash = SHA256()
        for (name, tensor) in wanted { hash.update(Array("\(name) \(tensor.shape)\n".utf8)) }
        for digest in digests { hash.update(digest) }
        return hash.hexadecimal
    }
}
