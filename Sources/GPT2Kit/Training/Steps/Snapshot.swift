// Weights that are kept while training changes them.

/// A copy of what is trained.
package struct Snapshot {
    /// In the order of the tensors that it was made for.
    package let copies: [Tensor]
    private let originals: [Tensor]

    /// Room for a copy of `tensors`.
    package init(of tensors: [Tensor]) throws(OutOfMemory) {
        originals = tensors
        var copies: [Tensor] = []
        for tensor in tensors { copies.append(try Tensor(shape: tensor.shape)) }
        self.copies = copies
    }

    /// Copies the tensors as they are now.
    package func save() {
        for (copy, original) in zip(copies, originals) {
            copy.mutablePointer.update(from: original.pointer, count: copy.count)
        }
    }

    /// Sets the tensors to their copies.
    package func restore() {
        for (copy, original) in zip(copies, originals) {
            original.mutablePointer.update(from: copy.pointer, count: copy.count)
        }
    }
}
