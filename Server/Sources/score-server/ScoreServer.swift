// score-server: a model behind HTTP, for programs and for people.

import ArgumentParser
import GPT2Kit
import Hummingbird
import Logging
import NIOCore
import Records

@main
struct ScoreServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score-server", abstract: "Score and explain texts over HTTP.",
        discussion: """
            GET  /           a page to type messages and see their labels
            POST /score      lines of text, NDJSON records, or JSON; answers as score does
            POST /explain    {"text": …}; answers as explain does
            GET  /health, /ready, /metrics, /openapi.json

            Texts of different requests are scored together. The answers are those of score, to the last bit. No text is ever \
            written to a log. TERM and INT let requests that have begun come to their end.

            EXAMPLE
              score-server --model build/demo/model &
              curl --data-binary @messages.txt -H 'Content-Type: text/plain' \\
                http://127.0.0.1:8080/score
            """)

    @Option(help: ArgumentHelp("The model directory.", valueName: "dir"))
    var model: String

    @Option(help: ArgumentHelp("The address to listen at; any but loopback needs --token-file.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("The port to listen at; 0 for a free one.", valueName: "n"))
    var port = 8080

    @Option(
        help: ArgumentHelp(
            "A file with the token that requests have to bring (Authorization: Bearer …), all but / and /health.",
            valueName: "file"))
    var tokenFile: String?

    @Flag(help: "Leave out what calibrate has fitted for the model.")
    var raw = false

    @Option(help: "The number type of matrix products; auto is bf16 if the CPU is faster with it, else f32.")
    var precision = ScoringPrecision.auto

    @Option(help: ArgumentHelp("Threads to compute with. (default: one for every core)", valueName: "n"))
    var threads: Int?

    @OptionGroup var limits: Limits

    @Flag(name: [.short, .long], help: "No line for each request on stderr.")
    var quiet = false

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port is a number from 0 to 65535") }
        if let threads, threads < 1 { throw ValidationError("--threads is a number from 1 on") }
        guard tokenFile != nil || ["127.0.0.1", "::1", "localhost"].contains(host) else {
            throw ValidationError("--host \(host) can be reached by others: name a file with a token (--token-file)")
        }
    }

    func run() async throws {
        do {
            try await serve()
        } catch let error as any DiagnosableError {
            let diagnosis = error.diagnosis
            writeLine("score-server: \(diagnosis.message)")
            throw ExitCode(diagnosis.status.rawValue)
        } catch let error as IOError {
            writeLine("score-server: \(host):\(port): can't listen (\(error)): choose another --port or --host")
            throw ExitCode(69)
        }
    }

    private func serve() async throws {
        let workers = Workers(count: threads ?? Workers.cores)
        let classifier = try Classifier(directory: model, workers: workers)
        try classifier.weightsCheck?.wait()
        let decision = raw ? nil : try ClassifierDescription.decision(of: model)
        let queue = ScoringQueue(
            try Scorer(classifier, decision: decision, precision: precision.precision, workers: workers), limits)
        let service = ScoringService(queue: queue, classifier: classifier, limits: limits)
        let token = try tokenFile.map(AccessToken.init(file:))
        let metrics = ServerMetrics(queue: queue)
        let router = Routes(service: service, metrics: metrics, token: token, limits: limits, isQuiet: quiet).router
        // Hummingbird's own lines; a request's body is in none of them.
        var logger = Logger(label: "score-server")
        logger.logLevel = .critical
        let app = Application(
            router: router, server: .http1(configuration: .init(idleTimeout: limits.idleTime)),
            configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { channel in
                queue.isReady = true
                writeLine("score-server: listening at http://\(host):\(channel.localAddress?.port ?? port)")
            }, logger: logger)
        try await app.runService()
        queue.close()
    }
}

extension ScoringPrecision: @retroactive ExpressibleByArgument {}

/// A line on stderr.
func writeLine(_ text: String) {
    var standardError = StandardError()
    print(text, to: &standardError)
}
