// Where the server's own lines go.

import Foundation

/// stderr, as a stream of text.
struct StandardError: TextOutputStream {
    mutating func write(_ string: String) { FileHandle.standardError.write(Data(string.utf8)) }
}
