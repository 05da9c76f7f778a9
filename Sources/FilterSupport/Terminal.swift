// What the terminal is like, where there is one.

import Platform

/// The terminal of whoever started the filter.
public enum Terminal {
    /// Whether someone watches stderr.
    static var isStandardError: Bool { isatty(2) == 1 }

    /// Whether stderr is a terminal on which a line can be drawn again: any but `TERM=dumb`.
    static var isErrorRedrawn: Bool { isatty(2) == 1 && value("TERM") != "dumb" }

    private static func value(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }

    /// Whether stdout is a terminal.
    public static var isStandardOutput: Bool { isatty(1) == 1 }

    /// Whether stdout is a terminal that shows colours, and whoever watches hasn't refused them (`NO_COLOR`, `TERM=dumb`).
    public static var isOutputColoured: Bool {
        isatty(1) == 1 && value("NO_COLOR").isEmpty && !["", "dumb"].contains(value("TERM"))
    }

    /// Columns of whoever reads stdout: `COLUMNS` where it is set, the terminal's width where stdout is one, otherwise 80.
    public static var outputWidth: Int {
        if let text = getenv("COLUMNS"), let columns = Int(String(cString: text)), columns > 0 { return columns }
        var size = winsize()
        if ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return 80
    }
}
