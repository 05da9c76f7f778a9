// A copy of a model's matrices beside the weights, in the order in which this CPU multiplies them: a start that maps it needs
// neither pack the weights nor read most of them. It holds for these weights alone, and for a CPU and a oneDNN that want this
// order. Who reads it packs anew what doesn't fit. docs/formats.md describes the file.

import Hashing
import Platform
import Records
import Safetensors

/// The file prepacked.safetensors of a model directory, whether it is there or not.
package struct PrepackedCopy: Sendable {
    /// Where it is, or would be.
    let path: String
    private let stamp: String
    private let weightsSHA256: String
    /// The copy, where there is one of these weights.
    private let file: SafetensorsFile?

    /// The name of the file.
    package static let fileName = "prepacked.safetensors"
    private static let format = "gpt2kit.prepacked/1"
    /// The layers of a block, in the order of ``InferenceBlocks``.
    private static let layers = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"]

    /// The copy of `weights`; nil where they don't come from files.
    ///
    /// - Parameter weightsSHA256: what config.json names; nil for nothing.
    init?(_ weights: WeightFiles, weightsSHA256: String?) {
        guard let stamp = weights.stamp else { return nil }
        let path = "\(weights.directory)/\(Self.fileName)"
        let sha256 = weightsSHA256 ?? ""
        (self.path, self.stamp, self.weightsSHA256) = (path, stamp, sha256)
        // A copy that can't be read is as good as none. Where addresses are limited, a mapping would take those of threads.
        let found = Platform.addressSpaceLimit == nil ? try? SafetensorsFile(path: path) : nil
        file = found.flatMap { file in
            file.metadata["format"] == Self.format && file.metadata["weights"] == stamp
                && file.metadata["weights_sha256"] == sha256
                && file.names == file.names.indices.map(Self.name) ? file : nil
        }
    }

    /// Whether there is a copy of the weights as they are. Whoever wrote it has checked them.
    var isThere: Bool { file != nil }

    /// The weights of a layer: that of block `index / 4`, and the layer `index % 4` of it. nil where there is no copy of it.
    subscript(index: Int) -> PrepackedMatrix? {
        let name = Self.name(index)
        guard let file, let layout = file.metadata[name], let bytes = try? file.bytes(of: name),
            Int(bitPattern: bytes.baseAddress) % 64 == 0
        else { return nil }
        return PrepackedMatrix(layout: layout, bytes: bytes, owner: file)
    }

    private static func name(_ index: Int) -> String { "h.\(index / layers.count).\(layers[index % layers.count])" }

    /// Has the system map the copy, which a text reads all of.
    func populate() {
        guard let bytes = file?.fileBytes, let start = bytes.baseAddress else { return }
        Platform.populate(UnsafeMutableRawPointer(mutating: start), count: bytes.count, forWriting: false)
    }

    /// The bytes of the copy's matrices, and their checksum.
    var content: (bytes: UnsafeRawBufferPointer, sha256: String)? {
        guard let file else { return nil }
        return (
            UnsafeRawBufferPointer(rebasing: file.fileBytes[file.header.dataStart...]), file.metadata["sha256"] ?? ""
        )
    }

    /// Writes the copy. The file is the old one or the new one, whatever happens.
    ///
    /// - Parameter matrices: those of all layers, in their order.
    /// - Throws: `StreamError`.
    func write(_ matrices: [PrepackedMatrix]) throws {
        let hash = SHA256()
        for matrix in matrices { hash.update(matrix.bytes) }
        var writer = SafetensorsWriter(metadata: [
            "format": Self.format, "weights": stamp, "weights_sha256": weightsSHA256, "sha256": hash.hexadecimal,
        ])
        for (index, matrix) in matrices.enumerated() {
            writer.metadata[Self.name(index)] = matrix.layout
            writer.add(Self.name(index), type: .uint8, shape: [matrix.bytes.count]) { sink in try sink(matrix.bytes) }
        }
        AtomicFile.removeLeftovers(of: path)
        try writer.write(path: path)
    }

    /// Removes the file.
    ///
    /// - Returns: whether that worked.
    func remove() -> Bool { unlink(path) == 0 }
}
