import ArgumentParser
import Curl
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
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
        var fields: [String: JSONValue] { JSONValue(Array(body.utf8))?.object ?? [:] }
    }

    struct Reply: Sendable {
        var status = 200
        var headers: [String: String] = [:]
        var body = ""
        /// The connection ends in the middle of the body.
        var isCut = false

        static func json(_ body: String, status: Int = 200, headers: [String: String] = [:]) -> Reply {
            Reply(status: status, headers: headers, body: body)
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
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in try await self.respond(request) },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await application.run()
                return nil
            }
            let number = try #require(await ports.first { _ in true })
            let value = try await body("http://127.0.0.1:\(number)")
            group.cancelAll()
            return value
        }
    }

    private func respond(_ request: Request) async throws -> Response {
        let body = String(buffer: try await request.body.collect(upTo: 1 << 20))
        let headers = Dictionary(
            request.headers.map { ($0.name.canonicalName, $0.value) }, uniquingKeysWith: { first, _ in first })
        let asked = Asked(
            method: request.method.rawValue, path: request.uri.description, headers: headers, body: body)
        seen.withLock { $0.append(asked) }
        let reply = answering(asked)
        var fields: HTTPFields = [.contentType: "application/json"]
        for (name, value) in reply.headers { fields[try #require(HTTPField.Name(name))] = value }
        let buffer = ByteBuffer(string: reply.body)
        let content =
            reply.isCut
            ? ResponseBody(contentLength: buffer.readableBytes + 10) { writer in
                try await writer.write(buffer)
                throw CancellationError()
            } : ResponseBody(byteBuffer: buffer)
        return Response(status: .init(code: reply.status), headers: fields, body: content)
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
    limit: Duration = .seconds(300), answering: @escaping StubGateway.Answering
) async throws -> Ran {
    let gateway = StubGateway(answering)
    return try await gateway.serve { url in
        let output = Captured()
        let console = Console(
            write: { output.add(String(decoding: $0, as: UTF8.self)) }, note: { output.addNote($0) },
            showsProgress: showsProgress)
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
    private let state = Mutex((text: "", notes: [String]()))
    var text: String { state.withLock { $0.text } }
    var notes: [String] { state.withLock { $0.notes } }
    func add(_ text: String) { state.withLock { $0.text += text } }
    func addNote(_ note: String) { state.withLock { $0.notes.append(note) } }
}
