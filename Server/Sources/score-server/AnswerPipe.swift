// Between the thread that scores a request's texts and whoever writes the answer.

import Foundation
import NIOCore
import Records

/// Holds some of an answer. A thread that is ahead of the client waits; one whose client has gone is told so.
final class AnswerPipe: @unchecked Sendable {  // everything mutable is under `condition`
    /// Bytes that wait to be read before the thread has to.
    private static let capacity = 1 << 18

    private let condition = NSCondition()
    private var parts: [ByteBuffer] = []
    private var bytes = 0
    private var reader: CheckedContinuation<ByteBuffer?, any Error>?
    /// What follows the last part; nil while the thread is at work.
    private var end: Result<ByteBuffer?, any Error>?
    private var isAbandoned = false
    /// The request's place among those at work, which it keeps as long as its thread works.
    private var place: (any AnyObject & Sendable)?

    init(holding place: (any AnyObject & Sendable)?) { self.place = place }

    // MARK: The thread's end

    /// Adds to the answer; waits while the client is slow.
    ///
    /// - Throws: `StreamError.writeFailed`, where nobody reads any more.
    func write(_ part: ByteBuffer) throws(StreamError) {
        condition.withLock {
            while bytes >= Self.capacity, !isAbandoned { condition.wait() }
            if isAbandoned { return }
            if let reader {
                self.reader = nil
                reader.resume(returning: part)
            } else {
                parts.append(part)
                bytes += part.readableBytes
            }
        }
        try requireReader()
    }

    /// - Throws: `StreamError.writeFailed`, where nobody reads any more.
    func requireReader() throws(StreamError) {
        if condition.withLock({ isAbandoned }) { throw .writeFailed(destination: "answer", errno: EPIPE) }
    }

    /// The thread has stopped.
    func finish(_ outcome: Result<Void, any Error>) {
        // Before the client can know, so that its next request finds the place free.
        leave()
        condition.withLock {
            let end = outcome.map { ByteBuffer?.none }
            self.end = end
            reader?.resume(with: end)
            reader = nil
        }
    }

    /// Gives up the place, outside of the lock.
    private func leave() {
        _ = condition.withLock {
            defer { place = nil }
            return place
        }
    }

    // MARK: The writer's end

    /// Resumes `next` with a part as soon as there is one, with nil after the last, or with what the thread has failed of.
    func read(_ next: CheckedContinuation<ByteBuffer?, any Error>) {
        condition.withLock {
            if let part = parts.first {
                parts.removeFirst()
                bytes -= part.readableBytes
                condition.signal()
                next.resume(returning: part)
            } else if isAbandoned {
                next.resume(throwing: CancellationError())
            } else if let end {
                next.resume(with: end)
            } else {
                reader = next
            }
        }
    }

    /// Nobody reads any more: the thread stops with its next write or window.
    func abandon() {
        condition.withLock {
            isAbandoned = true
            (parts, bytes) = ([], 0)
            reader?.resume(throwing: CancellationError())
            reader = nil
            condition.signal()
        }
    }
}

/// The parts of an answer, for one reader. When this is given up, the thread that makes them stops.
final class Answer: Sendable {
    private let pipe: AnswerPipe

    init(_ pipe: AnswerPipe) { self.pipe = pipe }

    deinit { pipe.abandon() }

    /// The next part; nil after the last.
    func next() async throws -> ByteBuffer? {
        let pipe = pipe
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { pipe.read($0) }
        } onCancel: {
            pipe.abandon()
        }
    }
}
