// Packs documents into rows for a language model, so that hardly a position is a pad.
//
// Every document ends with <|endoftext|>. One of more than T tokens is cut into parts of T, which are rows of their own, and
// a shorter last part. Whatever fits into a row is put whole into the open row that it fills best (best fit, Johnson 1973),
// so that every row begins where a document, or a part of a long one, begins.

/// Rows of at most T tokens that hold whole documents.
package struct RowPacker {
    private struct Row {
        var ids: [Int32]
        /// That of its first document.
        let line: Int64
    }

    /// T.
    package let length: Int
    /// `<|endoftext|>`.
    package let endOfText: Int32
    /// Rows that still have room, in the order in which they were begun.
    private var open: [Row] = []

    /// Rows that are kept open: more make rows a little fuller, and move documents further from their place.
    private static let openRows = 32

    /// No row is open.
    package init(length: Int, endOfText: Int32) {
        self.length = length
        self.endOfText = endOfText
    }

    /// Adds a document of at least one token.
    ///
    /// - Parameter emit: gets the rows that are full, or fuller than all others where too many are open.
    package mutating func add(
        _ document: [Int32], line: Int64, emit: (_ row: [Int32], _ line: Int64) throws -> Void
    ) rethrows {
        var rest = (document + [endOfText])[...]
        while rest.count >= length {
            try emit(Array(rest.prefix(length)), line)
            rest = rest.dropFirst(length)
        }
        if rest.isEmpty { return }
        let fitting = open.indices.filter { open[$0].ids.count + rest.count <= length }
        if let best = fitting.max(by: { open[$0].ids.count < open[$1].ids.count }) {
            open[best].ids += rest
            if open[best].ids.count == length { try emitRow(at: best, emit) }
        } else {
            open.append(Row(ids: Array(rest), line: line))
            if open.count > Self.openRows,
                let fullest = open.indices.max(by: { open[$0].ids.count < open[$1].ids.count })
            {
                try emitRow(at: fullest, emit)
            }
        }
    }

    /// Emits the rows that are still open, in the order in which they were begun.
    package mutating func finish(emit: (_ row: [Int32], _ line: Int64) throws -> Void) rethrows {
        while !open.isEmpty { try emitRow(at: 0, emit) }
    }

    private mutating func emitRow(at index: Int, _ emit: (_ row: [Int32], _ line: Int64) throws -> Void) rethrows {
        let row = open.remove(at: index)
        try emit(row.ids, row.line)
    }
}
