// Lines kept in memory: what `balance` and `split` hold of their input.

/// Many lines, at the cost of their bytes and eight more each, and of what their user needs for each of them besides.
public struct LineStore: Sendable {
    /// Where a line begins. It ends where the next one begins, or with its chunk.
    private struct Place {
        var chunk: UInt32
        var start: UInt32
    }

    private static let chunkSize = 1 << 20
    /// Lines between two questions whether there is memory.
    private static let interval = 1 << 14

    private let source: String
    private let maximum: Int
    private let overhead: Int
    /// Arrays that never grow, so that no line is copied and no more is taken than is held.
    private var chunks: [[UInt8]] = []
    private var chunkBytes = 0
    private var places: [Place] = []
    /// The number of lines at which the system is asked again.
    private var nextCheck = 0

    /// - Parameters:
    ///   - source: the input's name, for errors.
    ///   - maximum: the most bytes that the lines may take, with `overhead` for each and what else their user holds.
    ///   - overhead: the bytes that whoever keeps the lines is going to need for each of them, until all is done.
    public init(source: String, maximum: Int = .max, overhead: Int = 0) {
        self.source = source
        self.maximum = maximum
        self.overhead = overhead + MemoryLayout<Place>.stride
    }

    /// How many lines are kept.
    public var count: Int { places.count }
    /// The memory that the lines take, and what their user needs for them.
    public var byteCount: Int { chunkBytes + places.count * overhead }

    /// Keeps one more line.
    ///
    /// - Parameters:
    ///   - line: the line.
    ///   - others: the bytes that its user holds beside these lines, which count for the maximum too.
    /// - Throws: ``StreamError/memoryExceeded(source:line:maximum:)``, and
    ///   ``StreamError/outOfMemory(_:)`` where the system gives no more, or not what will be needed.
    public mutating func append(_ line: Line, besides others: Int = 0) throws(StreamError) {
        let isFull = chunks.last.map { $0.capacity - $0.count < line.bytes.count } ?? true
        if isFull || count == nextCheck {
            let size = isFull ? max(Self.chunkSize, line.bytes.count) : 0
            nextCheck = count + Self.interval
            // The second chunk is for what is made of a line while it is read.
            let needed = size + nextCheck * overhead + Self.chunkSize
            guard Memory.isAvailable(needed) else {
                throw .outOfMemory(.input(source, line: line.number, bytes: needed))
            }
            if isFull {
                chunks.append([])
                chunks[chunks.count - 1].reserveCapacity(size)
            }
        }
        places.append(Place(chunk: UInt32(chunks.count - 1), start: UInt32(chunks[chunks.count - 1].count)))
        chunks[chunks.count - 1].append(contentsOf: line.bytes)
        chunkBytes += line.bytes.count
        if byteCount + others > maximum { throw .memoryExceeded(source: source, line: line.number, maximum: maximum) }
    }

    /// The line that was appended as the `index`th, from 0.
    public subscript(index: Int) -> ArraySlice<UInt8> {
        let place = places[index]
        let chunk = chunks[Int(place.chunk)]
        let next = index + 1 < places.count ? places[index + 1] : nil
        let end = if let next, next.chunk == place.chunk { Int(next.start) } else { chunk.count }
        return chunk[Int(place.start)..<end]
    }
}

/// Numbers classes in the order in which their labels come.
struct LabelIndex {
    private(set) var labels: [[UInt8]] = []
    private var indices: [[UInt8]: Int] = [:]
    /// The memory that the labels take, with an array for each class.
    private(set) var byteCount = 0
    private var latest: (label: [UInt8], index: Int) = ([], -1)

    mutating func index(of label: [UInt8]) -> Int {
        if latest.index >= 0, latest.label == label { return latest.index }
        let index = indices[label] ?? labels.count
        if index == labels.count {
            indices[label] = index
            labels.append(label)
            // Two arrays with their heads, and a place in a dictionary and in two arrays that are copied to grow.
            byteCount += label.count + 192
        }
        latest = (label, index)
        return index
    }

    /// The indices of the classes in the order of their labels' bytes, which the input's order has no part in.
    var sorted: [Int] {
        labels.indices.sorted { labels[$0].lexicographicallyPrecedes(labels[$1]) }
    }
}
