// What the server takes at most.

import ArgumentParser

struct Limits: ParsableArguments {
    @Option(help: ArgumentHelp("The largest body in bytes; a larger one gets 413.", valueName: "n"))
    var maxBody = 1 << 20

    @Option(help: ArgumentHelp("Requests at a time; what is more gets 503.", valueName: "n"))
    var maxRequests = 64

    @Option(help: ArgumentHelp("Requests at a time of one address; what is more gets 429.", valueName: "n"))
    var maxPerClient = 32

    @Option(help: ArgumentHelp("Seconds that a text may wait to be scored; then its request gets 503.", valueName: "n"))
    var timeout = 30.0

    func validate() throws {
        guard maxBody > 0, maxRequests > 0, maxPerClient > 0, timeout > 0 else {
            throw ValidationError("limits are numbers above 0")
        }
    }
}
