// What the tests' generators made: see Tests/Fixtures.

import Foundation

/// The path of a file in Tests/Fixtures.
package func fixture(_ path: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/\(path)").path
}
