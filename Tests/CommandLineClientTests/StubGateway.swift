import ArgumentParser
import Curl
import Foundation
import JSON
import Synchronization
import TestSupport
import Testing

@testable import CommandLineClient

/// A gateway on a real socket that answers as a test says, and remembers what it was asked.
final class StubGateway: Sendable {
    struct Asked: Sendable {
        let method: String
        let path: String
        let headers: [String: String]
        let body: String
        /// The name of a field of the JSON body, and its value.
        var fields: [String: JSONValue] { JSONValue(Array(body.utf8))?.object?.dictionary ?? [:] }
    }

    struct Reply: Sendable {
        var status = 200
        var headers: [String: String] = [:]
        var body = ""
        /// The connection ends in the middle of the body.
        var isCut = false
        /// The connection ends without an answer.
        var isSilent = false

        static func json(_ body: String, status: Int = 200, headers: [String: String] = [:]) -> Reply {
            Reply(status: status, headers: headers, body: body)
        }

        /// A stream of these events.
        static func events(_ events: [String], headers: [String: String] = [:]) -> Reply {
            Reply(
                headers: headers.merging(["Content-Type": "text/event-stream"]) { $1 },
                body: events.map { "data: \($0)\n\n" }.joined())
        }

        static func error(_ status: Int, _ code: String, type: String = "x", headers: [String: String] = [:]) -> Reply {
            json(
                #"{"error":{"message":"why \#(code)","type":"\#(type)","param":null,"code":"\#(code)"}}"#,
                status: status, headers: headers)
        }
    }

    typealias Answering = @Sendable (Asked) -> Reply

    private let seen = Mutex<[Asked]>([])
    private let answering: Answering

    init(_ answering: @escaping Answering) { self.answering = answering }

    var requests: [Asked] { seen.withLock { $0 } }

    /// Runs it while `body` runs, which is given its URL.
    func serve<Value: Sendable>(_ body: @escaping @Sendable (String) async throws -> Value) async throws -> Value {
        let server = RawServer { connection in
            while let request = connection.readRequest() {
                guard self.answer(request, on: connection) else { return }
            }
        }
        let value = try await body(server.url)
        withExtendedLifetime(server) {}
        return value
    }

    /// False if the connection ends here.
    private func answer(_ request: RawRequest, on connection: RawSocket) -> Bool {
        let line = request.line.split(separator: " ").map(String.init)
        let asked = Asked(method: line[0], path: line[1], headers: Self.headers(request), body: request.text)
        seen.withLock { $0.append(asked) }
        let reply = answering(asked)
        if reply.isSilent { return false }
        var head = "HTTP/1.1 \(reply.status) Status\r\n"
        for (name, value) in ["Content-Type": "application/json"].merging(reply.headers, uniquingKeysWith: { $1 }) {
            head += "\(name): \(value)\r\n"
        }
        // RFC 9110, section 8.6: a 204 must not have one.
        if reply.status != 204 { head += "Content-Length: \(reply.body.utf8.count + (reply.isCut ? 10 : 0))\r\n" }
        return connection.write(head + "\r\n" + reply.body) && !reply.isCut
    }

    /// By their names in lower case.
    private static func headers(_ request: RawRequest) -> [String: String] {
        let fields = request.head.components(separatedBy: "\r\n").dropFirst().compactMap { line in
            line.firstIndex(of: ":").map { colon in
                (
                    line[..<colon].lowercased(),
                    line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                )
            }
        }
        return Dictionary(fields, uniquingKeysWith: { first, _ in first })
    }
}

/// What a command has done.
struct Ran: Sendable {
    var output: String
    var notes: [String]
    var failure: CommandFailure?
    var requests: [StubGateway.Asked]
    var pauses: [Duration]
    var status: ExitReason { failure?.status ?? .success }
}

/// Time that passes only where the command waits.
final class FakeTime: Sendable {
    let pauses = Mutex<[Duration]>([])

    func keeper(limit: Duration) -> Timekeeper {
        Timekeeper(
            limit: limit, elapsed: { self.pauses.withLock { $0.reduce(.zero, +) } },
            pause: { pause in self.pauses.withLock { $0.append(pause) } })
    }
}

/// Runs `rollcall` with these arguments against a gateway that answers so.
func rollcall(
    _ arguments: String..., environment: [String: String] = [:], showsProgress: Bool = false,
    outputFailure: CommandFailure? = nil, limit: Duration = .seconds(300),
    answering: @escaping StubGateway.Answering
) async throws -> Ran {
    try await rollcall(
        arguments, environment: environment, showsProgress: showsProgress, limit: limit, outputFailure: outputFailure,
        answering: answering)
}

func rollcall(
    _ arguments: [String], environment: [String: String] = [:], showsProgress: Bool = false,
    isTerminal: Bool = false, limit: Duration = .seconds(300), outputFailure: CommandFailure? = nil,
    answering: @escaping StubGateway.Answering
) async throws -> Ran {
    let gateway = StubGateway(answering)
    return try await gateway.serve { url in
        let output = Captured()
        let console = Console(
            write: { bytes throws(CommandFailure) in
                if let outputFailure { throw outputFailure }
                output.add(String(decoding: bytes, as: UTF8.self))
            }, remark: { output.addRemark($0) }, showsProgress: showsProgress, isTerminal: isTerminal)
        let time = FakeTime()
        let http = HTTPClient()
        var failure: CommandFailure?
        do {
            let command = try #require(
                try Rollcall.parseAsRoot(ArgumentOrder.arranged(arguments)) as? any GatewayCommand)
            var surroundings = environment
            surroundings["ROLLCALL_URL"] = surroundings["ROLLCALL_URL"] ?? url
            let session = try Session(
                command.options, environment: surroundings, http: http, console: console,
                interruption: Interruption(console: nil), time: time.keeper(limit: limit))
            try await command.run(in: session)
        } catch let thrown as CommandFailure {
            failure = thrown
        }
        await http.shutdown()
        return Ran(
            output: output.text, notes: output.notes, failure: failure, requests: gateway.requests,
            pauses: time.pauses.withLock { $0 })
    }
}

/// What a command has written.
final class Captured: Sendable {
    private let state = Mutex((text: "", remarks: ""))
    var text: String { state.withLock { $0.text } }
    /// The lines of standard error.
    var notes: [String] { state.withLock { $0.remarks.split(separator: "\n").map(String.init) } }
    func add(_ text: String) { state.withLock { $0.text += text } }
    func addRemark(_ text: String) { state.withLock { $0.remarks += text } }
}
