// What happened to the lines of a stream.

import Records

extension ScoreStream {
    /// What a run has read, written and found.
    public struct Report: Sendable {
        /// Lines that were read; each has its line of output.
        public var lines = 0
        /// Lines that became an error object.
        public var errors = 0
        /// What was wrong with the first of them.
        public var firstError: Diagnosis?
        /// The score of the last text; nil where there was none.
        public var last: Score?
        /// Lines of text with bytes that aren't UTF-8, replaced by U+FFFD.
        public var repaired = 0
        /// Texts that were longer than the model reads, and were cut.
        public var truncated = 0
        /// The agreement with another precision, where a ``Check`` asked for it and the input was long enough.
        public var comparison: PrecisionAgreement?
    }
}
