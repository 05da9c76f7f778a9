// What a checkpoint keeps of a run, whatever kind of run it is.

/// The state of a run that can be put aside and taken up again.
protocol CheckpointedState: AnyObject {
    /// Steps made.
    var step: Int { get }
    /// Adds what isn't a tensor.
    func describe(_ description: inout CheckpointDescription)
    /// The tensors that belong to a description, with their names in the file.
    func tensors(_ description: CheckpointDescription) -> [(name: String, tensor: Tensor)]
    /// Continues from a description, whose ``tensors(_:)`` the caller has restored. What computes with the state has to read
    /// the parameters anew.
    func resume(_ description: CheckpointDescription)
}

extension CheckpointedState {
    /// The names of what AdamW updates: the parameters, and both of their moments.
    func tensors(
        _ trained: [(name: String, parameter: Tensor, gradient: Tensor)], _ optimizer: AdamW
    ) -> [(name: String, tensor: Tensor)] {
        trained.map { ("parameter.\($0.name)", $0.parameter) }
            + zip(trained, optimizer.moments).flatMap {
                [("mean.\($0.name)", $1.mean), ("square.\($0.name)", $1.square)]
            }
    }

    /// The names of what Muon updates: the parameters, and their momentum.
    func tensors(
        _ trained: [(name: String, parameter: Tensor, gradient: Tensor)], _ optimizer: Muon
    ) -> [(name: String, tensor: Tensor)] {
        trained.map { ("parameter.\($0.name)", $0.parameter) }
            + zip(trained, optimizer.momenta).map { ("momentum.\($0.name)", $1) }
    }

    /// The names of an average, where weights have been added to it.
    func tensors(
        of average: WeightAverage, _ trained: [(name: String, parameter: Tensor, gradient: Tensor)],
        _ description: CheckpointDescription
    ) -> [(name: String, tensor: Tensor)] {
        description.step > average.first ? zip(trained, average.copies).map { ("average.\($0.name)", $1) } : []
    }
}

extension TrainingState: CheckpointedState {
    func describe(_ description: inout CheckpointDescription) { description.evaluations = evaluations }

    func tensors(_ description: CheckpointDescription) -> [(name: String, tensor: Tensor)] {
        var result = tensors(model.trained, optimizer)
        // The best parameters so far, where they are kept and there are some.
        if description.evaluations.step != nil, let best {
            result += zip(model.trained, best.copies).map { ("best.\($0.name)", $1) }
        }
        if let average { result += tensors(of: average, model.trained, description) }
        return result
    }

    func resume(_ description: CheckpointDescription) {
        optimizer.resume(after: description.step)
        evaluations = description.evaluations
        batches.skip(description.step)
        step = description.step
    }
}
