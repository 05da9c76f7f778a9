// Whether two names, or a name and a descriptor, are of one file.

import Platform

extension stat {
    /// Whether this is the status of the same file.
    package func isSameFile(as other: stat) -> Bool { (st_dev, st_ino) == (other.st_dev, other.st_ino) }
}
