// Labels are compared as bytes: "é" and "e\u{301}" are two labels, although Swift's == takes them for the same string.

/// A label, as a key of dictionaries and sets. Labels are ordered by their UTF-8.
package struct Label: Hashable, Comparable, Sendable {
    /// The label as a string.
    package let name: String

    /// The label `name`.
    package init(_ name: String) { self.name = name }

    /// Whether both have the same bytes.
    package static func == (a: Label, b: Label) -> Bool { a.name.utf8.elementsEqual(b.name.utf8) }
    /// Whether the bytes of `a` come first.
    package static func < (a: Label, b: Label) -> Bool { a.name.utf8.lexicographicallyPrecedes(b.name.utf8) }
    /// Hashes the bytes.
    package func hash(into hasher: inout Hasher) { for byte in name.utf8 { hasher.combine(byte) } }
}

extension Collection<String> where Index == Int {
    /// The place of a label; nil where it isn't there.
    package func index(ofLabel label: String) -> Int? { firstIndex { Label($0) == Label(label) } }

    /// The place of each of `labels`; nil where these aren't the same labels, in whatever order. Neither repeats one.
    package func places(ofLabels labels: [String]) -> [Int]? {
        let places = labels.compactMap { index(ofLabel: $0) }
        return places.count == labels.count && count == labels.count ? places : nil
    }
}

extension Sequence<String> {
    /// Whether these are the labels of `other`, in the same order.
    package func areSameLabels(as other: some Sequence<String>) -> Bool {
        elementsEqual(other) { Label($0) == Label($1) }
    }

    /// The different labels, sorted.
    package var distinctLabels: [String] { Set(map(Label.init)).sorted().map(\.name) }

    /// The first label that was there before; nil where all differ.
    package var firstRepeated: String? {
        var seen: Set<Label> = []
        return first { !seen.insert(Label($0)).inserted }
    }
}
