// Progress of something whose size is known only once it has begun, told from another thread.

import Synchronization

/// A progress bar for downloads. It may be updated from any thread; the bar itself is made and used under a lock.
public final class DownloadProgress: Sendable {
    private let tool: String
    private let label: String
    private let quiet: Bool
    private let bar = Mutex<ProgressBar?>(nil)

    /// - Parameters:
    ///   - tool: the filter, which begins plain lines.
    ///   - label: what is being downloaded.
    ///   - quiet: whether nothing is shown.
    public init(tool: String, label: String, quiet: Bool) {
        self.tool = tool
        self.label = label
        self.quiet = quiet
    }

    /// Shows `done` bytes of `total`, which is nil where the server doesn't say it.
    public func update(_ done: Int, _ total: Int?) {
        guard done > 0 else { return }
        bar.withLock { bar in
            // A resumed download has its first part already.
            if bar == nil {
                bar = ProgressBar(tool: tool, label: label, from: done, total: total, unit: "B", quiet: quiet)
            }
            bar?.update(done)
        }
    }

    /// Removes the bar.
    public func finish() {
        bar.withLock { bar in
            bar?.finish()
            bar = nil
        }
    }
}
