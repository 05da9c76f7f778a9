// Progress on stderr: a bar with rate and time left where someone watches (a terminal), a plain line now and then
// where a log does, nothing with --quiet.

import Records

/// Shows how far a piece of work is.
public final class ProgressBar {
    private let tool: String
    private let label: String
    private let unit: String
    private let total: Int?
    private let first: Int
    private let style: Style
    private let begin = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant
    private var isDrawn = false

    private enum Style { case bar, lines, silent }

    /// - Parameters:
    ///   - tool: the filter, which begins plain lines.
    ///   - label: what is being done: `download`, `epoch 2/5`.
    ///   - first: what was done before, which doesn't count for the rate.
    ///   - total: the whole, in units; nil where it isn't known.
    ///   - unit: what is counted: `B` (shown with kB, MB), `texts`, `steps`.
    ///   - quiet: whether nothing is shown.
    public init(tool: String, label: String, from first: Int = 0, total: Int?, unit: String, quiet: Bool) {
        self.tool = tool
        self.label = label
        self.first = first
        self.total = total
        self.unit = unit
        style = quiet ? .silent : (Terminal.isErrorRedrawn ? .bar : .lines)
        lastShown = begin
    }

    deinit {
        finish()
    }

    /// Call as often as you like: it shows ten bars a second, or a line every ten seconds. `detail` goes to the end.
    public func update(_ done: Int, detail: @autoclosure () -> String = "") {
        let now = ContinuousClock.now
        switch style {
        case .silent: return
        case .bar:
            guard now - lastShown >= .milliseconds(100) else { return }
            writeToStandardError("\r\u{1B}[K\(text(done, now, bar: true, detail()).printable)")
            isDrawn = true
        case .lines:
            guard now - lastShown >= .seconds(10) else { return }
            writeToStandardError("\(tool): \(text(done, now, bar: false, detail()).printable)\n")
        }
        lastShown = now
    }

    /// Removes the bar, so that other lines can be written.
    public func finish() {
        if isDrawn { writeToStandardError("\r\u{1B}[K") }
        isDrawn = false
    }

    private func text(_ done: Int, _ now: ContinuousClock.Instant, bar: Bool, _ detail: String) -> String {
        let (seconds, attoseconds) = (now - begin).components
        let elapsed = Double(seconds) + Double(attoseconds) * 1e-18
        let rate = elapsed > 0 ? Double(max(0, done - first)) / elapsed : 0
        var result = label
        if let total, total > 0 {
            let share = min(1, Double(done) / Double(total))
            if bar {
                let filled = Int(share * 24)
                result +=
                    " [" + String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled) + "]"
            }
            result += " \(Int(share * 100))% \(amount(Double(done)))/\(amount(Double(total)))"
        } else {
            result += " \(amount(Double(done)))"
        }
        if unit != "B" { result += " \(unit)" }
        result += " \(amount(rate))/s"
        if let total, rate > 0, done < total { result += " \(duration(Double(total - done) / rate)) left" }
        return detail.isEmpty ? result : "\(result) \(detail)"
    }

    private func amount(_ value: Double) -> String {
        guard unit == "B" else {
            let isSmall = value < 10 && value != value.rounded()
            return isSmall ? "\((value * 10).rounded() / 10)" : "\(Int(min(value, 1e18)))"
        }
        var value = value
        for prefix in ["", "k", "M", "G"] {
            if value < 1000 { return "\((value * 10).rounded() / 10) \(prefix)B" }
            value /= 1000
        }
        return "\((value * 10).rounded() / 10) TB"
    }

    private func duration(_ seconds: Double) -> String {
        let seconds = seconds.isFinite ? Int(min(seconds, 1e9)) : 0
        return seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s"
    }
}
