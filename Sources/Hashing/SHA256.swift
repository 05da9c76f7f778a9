// SHA-256 (FIPS 180-4) by the system's library: CryptoKit on Apple's systems, OpenSSL's libcrypto elsewhere. The only file
// that imports either.

#if canImport(CryptoKit)
    import CryptoKit
#else
    import CLibcrypto
#endif

/// A SHA-256 in the making.
public final class SHA256 {
    #if canImport(CryptoKit)
        private var hash = CryptoKit.SHA256()

        public init() {}

        /// Appends `bytes` to what is hashed.
        public func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

        /// The 32 bytes of the hash of all that came so far.
        public var digest: [UInt8] { Array(hash.finalize()) }
    #else
        private let context: OpaquePointer

        public init() {
            // 200 bytes. Whoever has none left can't make objects either.
            guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
                fatalError("libcrypto can't begin a SHA-256")
            }
            self.context = context
        }

        deinit { EVP_MD_CTX_free(context) }

        /// Appends `bytes` to what is hashed.
        public func update(_ bytes: UnsafeRawBufferPointer) {
            EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        }

        /// The 32 bytes of the hash of all that came so far.
        public var digest: [UInt8] {
            var result = [UInt8](repeating: 0, count: 32)
            guard let copy = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(copy, context) == 1,
                EVP_DigestFinal_ex(copy, &result, nil) == 1
            else { fatalError("libcrypto can't end a SHA-256") }
            EVP_MD_CTX_free(copy)
            return result
        }
    #endif

    /// Appends `bytes` to what is hashed.
    public func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// ``digest`` as 64 lower-case hexadecimal digits.
    public var hexadecimal: String { Self.hexadecimal(digest) }

    /// The hash of `bytes` as 64 lower-case hexadecimal digits.
    public static func hexadecimal(of bytes: [UInt8]) -> String {
        let hash = SHA256()
        hash.update(bytes)
        return hash.hexadecimal
    }

    /// Whether `text` is a hash as ``hexadecimal`` has it.
    public static func isHexadecimal(_ text: String, digits: Int = 64) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
