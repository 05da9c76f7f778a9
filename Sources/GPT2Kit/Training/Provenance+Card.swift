// Where a model comes from, as its card tells it.

import Records

extension Provenance {
    /// Lines of the card's table.
    var machineRows: String {
        """
        | date | \(date) |
        | CPU | \(processor.tableCell) |

        """
    }

    /// Indented rather than fenced, because no word can end an indented block.
    var commandSection: String { "\n## Command\n\n    \(commandLine.printable)\n" }
}
