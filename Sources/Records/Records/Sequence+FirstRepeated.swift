// Labels are compared as bytes, here too: "é" and "e\u{301}" are two.

extension Sequence<String> {
    /// The first that was there before; nil where all differ.
    package var firstRepeated: String? {
        var seen: Set<[UInt8]> = []
        return first { !seen.insert(Array($0.utf8)).inserted }
    }
}
