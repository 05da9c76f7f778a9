// Something that is made on another thread while this one does something else.

import Dispatch
import Synchronization

/// A value on its way.
package final class Background<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)
    private let done = DispatchGroup()

    /// Begins to make the value.
    package init(_ make: @escaping @Sendable () throws -> Value) {
        done.enter()
        DispatchQueue.global(qos: .userInitiated).async { [self] in
            let made = Result { try make() }
            result.withLock { $0 = made }
            done.leave()
        }
    }

    /// Waits for the value.
    ///
    /// - Throws: what making it threw.
    package func value() throws -> Value {
        done.wait()
        guard let made = result.withLock({ $0 }) else { preconditionFailure("a value that nobody has made") }
        return try made.get()
    }
}
