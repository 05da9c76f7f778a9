// Lines kept in memory, one after another in one piece: what `balance` and `split` hold of their input.

/// Many lines, at the cost of their bytes and eight more each.
public struct LineStore: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    public init() {}

    public var count: Int { ends.count }
    /// The memory that the lines take.
    public var byteCount: Int { bytes.count + ends.count * MemoryLayout<Int>.stride }

    public mutating func append(_ line: Line) {
        bytes.append(contentsOf: line.bytes)
        ends.append(bytes.count)
    }

    /// The line that was appended as the `index`th, from 0.
    public subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }
}

/// Numbers classes in the order in which their labels come.
struct LabelIndex {
    private(set) var labels: [[UInt8]] = []
    private var indices: [[UInt8]: Int] = [:]
    private var latest: (label: [UInt8], index: Int) = ([], -1)

    mutating func index(of label: [UInt8]) -> Int {
        if latest.index >= 0, latest.label == label { return latest.index }
        let index = indices[label] ?? labels.count
        if index == labels.count {
            indices[label] = index
            labels.append(label)
        }
        latest = (label, index)
        return index
    }

    /// The indices of the classes in the order of their labels' bytes, which the input's order has no part in.
    var sorted: [Int] {
        labels.indices.sorted { labels[$0].lexicographicallyPrecedes(labels[$1]) }
    }
}
