// Texts in parts. The standard library's repair of the whole text is the reference.

import Records
import Testing

struct UTF8Tests {
    @Test("a text repaired in parts is the text repaired whole, wherever it is cut")
    func repairInParts() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        // Beginnings and continuations of sequences, whole sequences, and bytes that are never right.
        let units: [[UInt8]] = [
            [0x41], [0xC3], [0xE2], [0xF0], [0xF4], [0x80], [0x9F], [0xBF], [0xFF], Array("é".utf8), Array("漢".utf8),
            Array("😀".utf8), [0x80, 0x80, 0x80, 0x80, 0x80], [0xED, 0xA0, 0x80],
        ]
        for round in 0..<15 {
            let choices = (0..<1 + round % 5).map { _ in units[random.nextInteger(below: units.count)] }
            var bytes = [UInt8](repeating: 0x61, count: random.nextInteger(below: 8))
            while bytes.count < 70_000 { bytes += choices[random.nextInteger(below: choices.count)] }
            var parts: [UInt8] = []
            UTF8.forEachRepairedChunk(of: bytes[...]) { part in
                #expect(part.count <= 3 << 16)
                parts += part
            }
            #expect(parts == Array(String(decoding: bytes, as: UTF8.self).utf8), "seed \(seed), round \(round)")
        }
    }
}
