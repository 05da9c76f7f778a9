// What the server takes at most.

import ArgumentParser
import NIOCore

struct Limits: ParsableArguments {
    @Option(help: ArgumentHelp("The largest body in bytes; a larger one gets 413.", valueName: "n"))
    var maxBody = 1 << 20

    @Option(help: ArgumentHelp("Texts of a JSON array; more get 413, and are to be sent as NDJSON.", valueName: "n"))
    var maxTexts = 1000

    @Option(help: ArgumentHelp("Requests at a time; what is more gets 503.", valueName: "n"))
    var maxRequests = 64

    @Option(help: ArgumentHelp("Requests at a time of one address; what is more gets 429.", valueName: "n"))
    var maxPerClient = 32

    @Option(help: ArgumentHelp("Seconds that a text may wait to be scored; then its request gets 503.", valueName: "n"))
    var timeout = 30.0

    @Option(
        help: ArgumentHelp(
            "Seconds for a client to send a body, which gets 408 after that, or to read a piece of its answer.",
            valueName: "n"))
    var clientTimeout = 60.0

    func validate() throws {
        guard maxBody > 0, maxTexts > 0, maxRequests > 0, maxPerClient > 0, timeout > 0, clientTimeout > 0 else {
            throw ValidationError("limits are numbers above 0")
        }
        guard clientTimeout <= 86400 else { throw ValidationError("--client-timeout is at most 86400, a day") }
    }

    /// How long a client may leave a piece of its answer unread.
    var readingTime: TimeAmount { .milliseconds(max(1, Int64(clientTimeout * 1000))) }

    /// How long a connection may be open while no request is answered: long enough for a late body to get its 408 first.
    var idleTime: TimeAmount { readingTime * 2 }
}
