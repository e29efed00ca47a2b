import Catalog
import Foundation
import Logging
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Requests and answers that are nearly right, at a gateway that runs: many connections at once.
@Suite(.serialized, .timeLimit(.minutes(240))) struct GatewayFuzzTests {
    static let threads = 16
    /// A request of a client that dawdles, or an endpoint that falls silent, ends well within what the test waits for.
    private static let timeouts = ClientTimeouts(
        idle: .seconds(1), head: .seconds(1), body: .seconds(1), stalledReader: .seconds(2))
    private static var limits: InferenceLimits {
        var limits = InferenceLimits()
        limits.bodyTimeout = .seconds(1)
        limits.firstByteTimeout = .seconds(2)
        limits.idleTimeout = .milliseconds(400)
        limits.queueTimeout = .milliseconds(300)
        return limits
    }

    private static func run(
        _ endpoints: [ListedEndpoint], _ body: @escaping @Sendable (LiveGateway) async throws -> Void
    ) async throws {
        let messages = endpoints.enumerated().flatMap { $1.messages($0 + 1) } + Keys.usual
        try await Bench(messages, logLevel: .critical).serve(
            limits: limits, timeouts: timeouts, configure: { $0.upstream.idleLifetime = .milliseconds(500) }, body)
    }

    /// Calls what `makeBody` gives to each thread with each number below `count`. Stops after the first that says what
    /// is wrong.
    private static func onManyThreads(
        _ count: Int, _ makeBody: @escaping @Sendable () -> (Int) -> String?
    ) async -> String? {
        let work = FuzzWork(count: count)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<threads {
                group.addTask {
                    await onThread {
                        let body = makeBody()
                        while let number = work.next() {
                            if let found = body(number) { work.fail("\(number): \(found)") }
                        }
                    }
                }
            }
        }
        return work.problem
    }

    private static func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }

    /// Bytes of this process that are in memory.
    private static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    // MARK: Requests

    @Test func requests() async throws {
        let count = fuzzCount(6000)
        let before = try Self.descriptors()
        let upstream = RawServer.answeringRequests()
        let endpoints = [
            ListedEndpoint(name: "one", port: upstream.port),
            ListedEndpoint(name: "own", port: upstream.port, models: ["o:latest"], kind: .ollama),
        ]
        try await Self.run(endpoints) { gateway async throws in
            let port = gateway.port
            func send(_ numbers: Range<Int>) async -> String? {
                await Self.onManyThreads(numbers.count) { { Self.request(numbers.lowerBound + $0, port: port) } }
            }
            // What is made once and kept is there after the first requests.
            let warming = min(count / 5, 2000)
            let first = await send(0..<warming)
            try #require(first == nil)
            try await eventually("the first connections are closed") { gateway.server.core.connections.count == 0 }
            let memory = try Self.residentBytes()
            let second = await send(warming..<count)
            try #require(second == nil)
            try await eventually("no connection is open") { gateway.server.core.connections.count == 0 }
            try await Self.nothingIsLeft(gateway, endpoints: 2, before: before)
            #expect(try Self.residentBytes() - memory < 64 << 20)
        }
    }

    /// No lease, and no descriptor but the few that a gateway without clients has. Other tests of this process have left
    /// theirs open `before`.
    private static func nothingIsLeft(_ gateway: LiveGateway, endpoints: Int, before: Int) async throws {
        for number in 1...endpoints {
            try await eventually("no lease is held") { gateway.dispatcher.inFlight(ListedEndpoint.id(number)) == 0 }
        }
        // Kept connections to endpoints close within seconds.
        let mine = try descriptors()
        try await eventually("descriptors are closed, of \(mine)") {
            (try? descriptors()).map { $0 < before + 40 } ?? false
        }
    }

    /// Sends one mutated request and says what is wrong with what comes back.
    private static func request(_ number: Int, port: Int) -> String? {
        var mutator = ByteMutator(seed: UInt64(number))
        // Some come as they are.
        let seeds = RequestSeeds.all
        let bytes = mutator.pick(20) == 0 ? seeds[mutator.pick(seeds.count)] : mutator.next(of: seeds)
        let socket = TimedSocket(port: port)
        for segment in mutator.cut(bytes) { socket.send(segment) }
        // Mostly the client ends its side soon, and sometimes the gateway has to end what does not come.
        if mutator.pick(16) > 0 {
            while socket.end == .open, socket.fill(milliseconds: 30) {}
            socket.finishSending()
        }
        guard socket.readToEnd(milliseconds: 5000) else {
            return "hangs: \(quoted(bytes)) got \(quoted(socket.received))"
        }
        return check(socket.received, to: bytes).map { "\($0): \(quoted(bytes)) got \(quoted(socket.received))" }
    }

    private static let documented: Set<String> = [
        "unknown_method", "unknown_transfer_coding", "unknown_http_version", "loop_detected", "upstream_unreachable",
        "upstream_unauthorized", "upstream_redirect", "upstream_invalid", "upstream_timeout", "version_not_reached",
        "model_not_available", "overloaded", "broker_unavailable", "outcome_unknown", "catalog_not_current",
        "queue_full", "model_not_on_ollama", "models_are_managed_by_nodes",
    ]

    private static func check(_ received: [UInt8], to request: [UInt8]) -> String? {
        // The answer to HEAD has a length and no body, so that only its own sender can read it.
        if String(decoding: request, as: UTF8.self).contains("HEAD ") { return nil }
        var rest = received
        while !rest.isEmpty {
            guard let (answer, count) = WireAnswer.read(rest) else {
                // `100 Continue` may be all that comes.
                return rest == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8) ? nil : "not an answer"
            }
            let isEndpoints = answer.value("x-rollcall-endpoint") != nil
            if !answer.isWhole { return isEndpoints ? nil : "an answer that is not whole" }
            if let problem = shape(answer) { return problem }
            rest = Array(rest[count...])
        }
        return nil
    }

    /// Every answer has an id, and every error of the gateway the one shape.
    private static func shape(_ answer: WireAnswer) -> String? {
        guard answer.value("x-request-id") != nil else { return "no X-Request-Id" }
        guard answer.status >= 400, answer.value("x-rollcall-endpoint") == nil else { return nil }
        let whole = (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? [String: Any]
        // Below /api/.
        if whole?["error"] is String, whole?.count == 2, let code = whole?["code"] as? String {
            return answer.status >= 500 && !documented.contains(code) ? "\(answer.status) \(code)" : nil
        }
        guard let error = whole?["error"] as? [String: Any], Set(error.keys) == ["message", "type", "param", "code"],
            Set(whole.map { Array($0.keys) } ?? []).isSubset(of: ["error", "type"]), let code = error["code"] as? String
        else { return "not the shape of errors" }
        return answer.status >= 500 && !documented.contains(code) ? "\(answer.status) \(code)" : nil
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix(2000), as: UTF8.self).debugDescription
    }

    // MARK: Answers

    /// The answer that request `number` gets, and whether the endpoint ends its side behind it.
    private static func answer(_ number: Int) -> (bytes: [UInt8], pieces: [[UInt8]], closes: Bool) {
        var mutator = AnswerMutator(seed: UInt64(number))
        var bytes = AnswerMutator.seeds[mutator.pick(AnswerMutator.seeds.count)]
        if number % 8 > 0 { bytes = mutator.next() }
        // An endpoint that says when to come again is left alone for so long.
        if let place = bytes.firstRange(of: Array("429".utf8)) { bytes.replaceSubrange(place, with: Array("400".utf8)) }
        return (bytes, mutator.cut(bytes).map { Array($0.readableBytesView) }, mutator.pick(4) > 0)
    }

    /// The number of the request is in its body.
    private static func endpoint() -> RawServer {
        RawServer { connection in
            while let request = connection.readRequest() {
                guard let number = request.text.split(separator: "#").dropFirst().first.flatMap({ Int($0) }) else {
                    return
                }
                let answer = Self.answer(number)
                for piece in answer.pieces where !connection.write(piece) { return }
                if answer.closes { return }
            }
        }
    }

    @Test func answers() async throws {
        let count = fuzzCount(3000, share: 5)
        let before = try Self.descriptors()
        let upstream = Self.endpoint()
        let endpoints = (1...8).map { ListedEndpoint(name: "endpoint-\($0)", port: upstream.port) }
        try await Self.run(endpoints) { gateway async throws in
            let port = gateway.port
            let ends = Record<AnswerEnd>()
            let problem = await Self.onManyThreads(count) {
                let client = FuzzClient(port: port)
                return { number in
                    let answer = Self.answer(number)
                    switch client.ask(number) {
                    case .success(let end):
                        let problem = end.problem(with: answer.bytes, closes: answer.closes, isSeed: number % 8 == 0)
                        ends.add(AnswerEnd(end))
                        return problem.map { "\($0): \(Self.quoted(answer.bytes)) became \(end)" }
                    case .failure(let failure): return "\(failure.what): \(Self.quoted(answer.bytes))"
                    }
                }
            }
            #expect(problem == nil)
            try await eventually("no connection is open") { gateway.server.core.connections.count == 0 }
            try await Self.nothingIsLeft(gateway, endpoints: endpoints.count, before: before)
            let seen = Dictionary(grouping: ends.all, by: \.self).mapValues(\.count)
            // Each way to end is met often enough to mean something.
            for end in AnswerEnd.allCases { #expect(seen[end, default: 0] > count / 50, "\(end): \(seen)") }
        }
    }
}

/// Numbers that threads take in turn, until one of them finds a problem.
private final class FuzzWork: Sendable {
    private let count: Int
    private let taken = Atomic(0)
    private let found = Mutex<String?>(nil)

    init(count: Int) { self.count = count }

    var problem: String? { found.withLock { $0 } }

    func next() -> Int? {
        let number = taken.add(1, ordering: .relaxed).oldValue
        return number < count && problem == nil ? number : nil
    }

    func fail(_ problem: String) { found.withLock { $0 = $0 ?? problem } }
}
