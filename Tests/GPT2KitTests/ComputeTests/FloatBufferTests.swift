// Memory for numbers: zeroed and aligned, small or mapped, and an error where there is none.

import GPT2Kit
import Testing

struct FloatBufferTests {
    @Test(
        "memory is zeroed, aligned and writable to its end",
        arguments: [0, 1, 1000, 1_048_575, 1_048_576, 1_048_577, 3_000_001])
    func allocation(_ count: Int) throws {
        for _ in 0..<3 {
            let buffer = try FloatBuffer(count: count)
            #expect(Int(bitPattern: buffer.pointer) % 64 == 0)
            #expect(buffer.values.allSatisfy { $0 == 0 } && buffer.values.count == count)
            buffer.values.update(repeating: 1)
            #expect(buffer.values.allSatisfy { $0 == 1 })
        }
    }

    @Test(
        "an impossible amount of memory is an error", arguments: [1 << 60, .max / 4, .max / 4 + 1, .max])
    func impossibleAllocation(_ count: Int) {
        #expect(throws: OutOfMemory.self) { try FloatBuffer(count: count) }
    }
}
