// What became of the lines of a stream.

import Records

extension ScoreStream {
    public struct Report: Sendable {
        public var lines = 0
        /// Lines that became an error object.
        public var errors = 0
        /// What was wrong with the first of them.
        public var firstError: Diagnosis?
        /// Lines of text with bytes that aren't UTF-8, replaced by U+FFFD.
        public var repaired = 0
        public var truncated = 0
        /// With the scores of another precision, where that was asked for and the input was long enough.
        public var comparison: PrecisionAgreement?
    }
}
