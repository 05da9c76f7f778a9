// Answers to clients that don't read them: nobody waits for those forever.

import Hummingbird
import NIOCore
import Synchronization

/// Writes an answer in pieces, each of which the client has to take in time.
struct WatchedWriter: ResponseBodyWriter {
    /// Bytes of a piece.
    private static let most = 1 << 16

    private var writer: any ResponseBodyWriter
    private let watch: Watch

    init(_ writer: any ResponseBodyWriter, _ watch: Watch) { (self.writer, self.watch) = (writer, watch) }

    mutating func write(_ buffer: ByteBuffer) async throws {
        var rest = buffer
        while rest.readableBytes > 0, let piece = rest.readSlice(length: min(rest.readableBytes, Self.most)) {
            watch.begin()
            try await writer.write(piece)
            watch.end()
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        watch.begin()
        try await writer.finish(trailingHeaders)
        watch.end()
    }

    /// Looks now and then how long a client hasn't taken what is written, and closes its connection where that is too long: the
    /// write then throws.
    final class Watch: Sendable {
        /// Since when a write waits; nil while none does.
        private let since = Mutex<NIODeadline?>(.now())
        private let task = Mutex<RepeatedTask?>(nil)

        /// Begins with the answer's head, as if ``begin()`` were called.
        init(_ channel: any Channel, _ patience: TimeAmount) {
            let task = channel.eventLoop.scheduleRepeatedTask(initialDelay: patience, delay: patience) {
                [weak self] task in
                guard let self, channel.isActive else { return task.cancel() }
                if let since = self.since.withLock({ $0 }), since + patience <= .now() { channel.close(promise: nil) }
            }
            self.task.withLock { $0 = task }
        }

        deinit { task.withLock { $0?.cancel() } }

        /// Something is about to be written.
        func begin() { since.withLock { $0 = .now() } }

        /// It is written.
        func end() { since.withLock { $0 = nil } }
    }
}
