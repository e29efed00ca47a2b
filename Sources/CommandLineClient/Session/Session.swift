import ArgumentParser
import Curl
import FoundationEssentials
import JSON

/// A command that talks to a gateway. `run(in:)` is all that it does, so that tests can run it too.
protocol GatewayCommand: AsyncParsableCommand {
    var options: GlobalOptions { get }
    func run(in session: Session) async throws
}

extension GatewayCommand {
    func run() async throws {
        let console = Console.standard(isVerbose: options.verbose)
        let interruption = Interruption(console: console)
        let http = HTTPClient(configuration: options.httpConfiguration)
        let result: Result<Void, any Error>
        do {
            let session = try Session(
                options, environment: ProcessInfo.processInfo.environment, http: http, console: console,
                interruption: interruption)
            result = .success(try await run(in: session))
        } catch {
            result = .failure(error)
        }
        await http.shutdown()
        interruption.end()
        do {
            try result.get()
        } catch let failure as CommandFailure {
            console.note(failure)
            throw ExitCode(failure.status.rawValue)
        }
    }
}

extension GlobalOptions {
    fileprivate var httpConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.caFile = caFile
        return configuration
    }
}

/// What a command works with.
struct Session: Sendable {
    let client: GatewayClient
    let console: Console
    let time: Timekeeper
    let interruption: Interruption
    /// Whether answers are printed as they came.
    let printsJSON: Bool

    init(
        _ options: GlobalOptions, environment: [String: String], http: HTTPClient, console: Console,
        interruption: Interruption, time: Timekeeper? = nil
    ) throws {
        let time = time ?? .real(limit: .milliseconds(Int64(options.timeout * 1000)))
        self.console = console
        self.time = time
        self.interruption = interruption
        printsJSON = options.json
        client = GatewayClient(
            http: http, url: try options.address(environment), apiKey: try options.apiKey(environment), time: time,
            console: console)
    }

    /// Prints an answer: its own bytes, or what `text` makes of them.
    func show(_ response: HTTPResponse, _ text: (JSONValue) throws -> String) throws {
        guard let json = JSONValue(response.body) else {
            throw CommandFailure.notJSON(response)
        }
        guard printsJSON else { return try console.write(try text(json)) }
        try console.write(response.body + (response.body.last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]))
    }

    /// Prints a part of an answer.
    func show(_ json: JSONValue, _ text: (JSONValue) throws -> String) throws {
        guard printsJSON else { return try console.write(try text(json)) }
        try console.write(json.bytes + [UInt8(ascii: "\n")])
    }

    /// A write that makes or changes a record: the record, also where the gateway answers before it is there.
    ///
    /// - Parameter record: the record's path, from what the operation says it is
    func change(
        _ method: String, _ path: String, body: JSONValue?, key: String, record: (String?) throws -> String
    ) async throws -> HTTPResponse {
        let response = try await client.write(method, path, body: body, key: key)
        guard response.status == 202, let id = operation(response) else { return response }
        let finished = try await OperationWatch(session: self).finish(id)
        return try await settled(try record(JSONValue(finished.body)?["result"].string))
    }

    /// A write that leaves nothing to show but what was done.
    func remove(_ path: String, key: String, name: String, word: String = "removed") async throws {
        let response = try await client.write("DELETE", path, body: nil, key: key)
        if response.status == 202, let id = operation(response) {
            _ = try await OperationWatch(session: self).finish(id)
        }
        if !printsJSON { try console.write("\(word) \(HumanText.clean(name))\n") }
    }

    /// The operation that a 202 names.
    func operation(_ response: HTTPResponse) -> String? { JSONValue(response.body)?["operation"].string }

    /// A record that exists, though the gateway that is asked may not have heard of it yet.
    func settled(_ path: String) async throws -> HTTPResponse {
        let start = time.elapsed()
        while true {
            do {
                return try await client.get(path)
            } catch let failure as CommandFailure where failure.status == .notFound {
                guard time.elapsed() - start < .seconds(5), time.left > .zero else { throw failure }
                try await time.pause(.milliseconds(250))
            }
        }
    }
}
