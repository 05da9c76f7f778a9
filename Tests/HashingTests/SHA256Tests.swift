// SHA-256 against the examples of FIPS 180-4 and NIST's test vectors.

import Hashing
import Testing

struct SHA256Tests {
    @Test(
        "the published examples have their hashes",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func publishedExamples(_ text: String, _ hash: String) {
        #expect(SHA256.hexadecimal(of: Array(text.utf8)) == hash)
    }

    @Test("a million a hash alike in pieces of any size, also with a look at the hash in between")
    func piecewiseHash() {
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        for size in [1, 63, 64, 65, 4096, 1_000_000] {
            let hash = SHA256()
            let a = [UInt8](repeating: UInt8(ascii: "a"), count: size)
            for start in stride(from: 0, to: 1_000_000, by: size) {
                hash.update(Array(a.prefix(1_000_000 - start)))
                if start < 3 * size { _ = hash.digest }
            }
            #expect(hash.hexadecimal == expected)
            #expect(hash.digest.count == 32 && hash.digest.first == 0xcd)
        }
    }
}
