import Catalog
import Logging
import NIOCore
import NIOEmbedded
import NIOSSL
import TestSupport
import Testing

@testable import Gateway

/// `GET /v1/models` has two paths through the gateway: `RequestGate`, which recognises bytes, and the decoder's. Whatever
/// is sent, a client must not be able to tell which of them has answered.
@Suite(.serialized, .timeLimit(.minutes(120))) struct ListPathsTests {
    private static let health = ListSeeds.list("", line: "GET /healthz HTTP/1.1")
    private static let nowhere = ListSeeds.list("", line: "GET /nowhere HTTP/1.1")
    private static let body = #"{"model":"none"}"#
    private static let chat =
        ListSeeds.list(
            "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n",
            line: "POST /v1/chat/completions HTTP/1.1") + Array(body.utf8)

    static let catalog =
        Fleet.usual + Keys.usual + [
            Keys.made("patterned", scopes: [.models], models: ["org/*"]),
            Keys.made("narrow", scopes: [.models], models: ["nothing"]),
        ]

    /// Without keys, without keys on a loopback address, with keys, and with keys and pages of other sites.
    private static func benches() throws -> [Bench] {
        [
            try Bench(catalog, logLevel: .critical),
            try Bench(catalog, listensOnLoopback: true, logLevel: .critical),
            try Bench(catalog, adminKey: Keys.admin, logLevel: .critical),
            try Bench(catalog, adminKey: Keys.admin, cors: "https://page.example", logLevel: .critical),
        ]
    }

    private static func seeds(_ bench: Bench) -> [[UInt8]] { ListSeeds.all(etag: bench.catalog.view.list.etag) }

    @Test func everySeedIsAnsweredAlike() throws {
        var byTheGate = 0
        for bench in try Self.benches() {
            let paths = try TwoPaths(bench)
            for seed in Self.seeds(bench) {
                try paths.compare([seed])
                try paths.compare([seed + seed])
                try paths.compare([seed, seed])
                for other in [Self.health, Self.nowhere, Self.chat] {
                    try paths.compare([other + seed + other])
                    try paths.compare([other, seed, other, seed])
                    try paths.compare([seed + other + seed])
                    let half = other.count / 2
                    try paths.compare([seed + other.prefix(half), other.dropFirst(half) + seed])
                }
            }
            byTheGate += paths.answeredByTheGate
        }
        // Without this, a gate that answers nothing would agree with everything.
        #expect(byTheGate > 500)
    }

    @Test func everyCutIsAnsweredAlike() throws {
        // Each seed is cut at one of the gateways: all at all of them take a minute.
        let benches = try Self.benches()
        for (number, bench) in benches.enumerated() {
            let paths = try TwoPaths(bench)
            for (index, seed) in Self.seeds(bench).enumerated()
            where index % benches.count == number && seed.count < 400 {
                for place in 1..<seed.count { try paths.compare([Array(seed[..<place]), seed[place...] + seed]) }
            }
        }
    }

    @Test func mutatedRequestsAreAnsweredAlike() throws {
        var mutator = ByteMutator(seed: 4)
        let paths = try Self.benches().map { try TwoPaths($0) }
        let seeds = try Self.seeds(Bench(Self.catalog))
        let all = seeds + [Self.health, Self.nowhere, Self.chat] + seeds.prefix(40).map { Self.chat + $0 }
        for _ in 0..<fuzzCount(5000) {
            var bytes = mutator.next(of: mutator.pick(4) == 0 ? all : seeds)
            if mutator.pick(3) == 0 { bytes = seeds[mutator.pick(seeds.count)] + bytes }
            // A control route runs as a task, which a channel without a thread cannot have.
            if String(decoding: bytes, as: UTF8.self).contains("v0") { continue }
            try paths[mutator.pick(paths.count)].compare(mutator.cut(bytes))
        }
    }

    /// The end of the client's side may come in the same turn of the event loop as the requests before it. It takes none
    /// of their answers.
    @Test func theEndBehindRequestsTakesNoAnswer() throws {
        for bench in try Self.benches() {
            let paths = try TwoPaths(bench)
            for seed in Self.seeds(bench) {
                for answersLists in [true, false] {
                    let statuses = try [false, true].map { halfCloses in
                        let client = try paths.open(answersLists: answersLists)
                        let answers = try client.send([Self.health + seed + seed], halfCloses: halfCloses)
                        _ = try client.channel.finish(acceptAlreadyClosed: true)
                        return answers.map { $0.prefix { $0 != "\n" } }
                    }
                    #expect(statuses[0] == statuses[1], "\(TwoPaths.quoted([seed]))")
                }
            }
        }
    }

    /// The same over real sockets, with the half-close of a client that has nothing more to ask.
    @Test func everySeedOverASocket() async throws {
        for bench in try Self.benches() {
            let seeds = Self.seeds(bench)
            try await bench.serve { gate in
                try await bench.serve(configure: { $0.answersListsAtTheGate = false }) { decoder in
                    let ports = [gate.port, decoder.port]
                    let problem = await onThread { () -> String? in
                        for seed in seeds {
                            for bytes in [seed, Self.health + seed + seed] {
                                let answers = ports.map { port -> [String]? in
                                    let socket = TimedSocket(port: port)
                                    socket.send(bytes)
                                    socket.finishSending()
                                    guard socket.readToEnd(milliseconds: 5000) else { return nil }
                                    return TwoPaths.comparable(socket.received, to: bytes)
                                }
                                if answers[0] == nil || answers[0] != answers[1] {
                                    return "\(TwoPaths.quoted([bytes])): \(answers)"
                                }
                            }
                        }
                        return nil
                    }
                    #expect(problem == nil)
                }
            }
        }
    }

    /// The gate remembers its last answer. It must not give it again once the catalog has changed.
    @Test func aRevokedKeyIsRefusedAtOnce() throws {
        let bench = try Bench(Self.catalog, adminKey: Keys.admin)
        let paths = try TwoPaths(bench)
        let client = try paths.open(answersLists: true)
        let request = ListSeeds.list("Authorization: Bearer rc_only-models\r\n")
        for _ in 0..<3 { #expect(try client.send([request])[0].hasPrefix("HTTP/1.1 200")) }
        bench.catalog.apply([Keys.revoked("only-models", revision: 90)])
        // Each of these makes views, of which one may take the memory of the view that was remembered.
        for _ in 0..<100 { try #require(try client.send([request])[0].hasPrefix("HTTP/1.1 401")) }
    }

    @Test func aNewModelIsListedAtOnce() throws {
        let bench = try Bench(Self.catalog)
        let client = try TwoPaths(bench).open(answersLists: true)
        let request = ListSeeds.list("")
        for number in 0..<100 {
            #expect(try client.send([request])[0].contains("model-\(number)") == false)
            bench.catalog.apply([
                Fleet.row(Fleet.firstID, generation: 1, tick: Int64(20 + number), models: ["model-\(number)"])
            ])
            for _ in 0..<3 { try #require(try client.send([request])[0].contains("model-\(number)")) }
        }
    }
}

/// The two paths of one gateway, on connections without a network: so segments arrive as they are cut.
private final class TwoPaths {
    /// A connection.
    final class Client {
        let channel: EmbeddedChannel
        /// How many answers were the gate's: it writes the request's id behind all other fields.
        private(set) var answeredByTheGate = 0

        init(channel: EmbeddedChannel) { self.channel = channel }

        /// Sends the segments, as long as the connection lives, and gives the answers.
        func send(_ segments: [[UInt8]], halfCloses: Bool = false) throws -> [String] {
            var received: [UInt8] = []
            for segment in segments where channel.isActive {
                try channel.writeInbound(ByteBuffer(bytes: segment))
                if halfCloses { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
                // Answers go out at the end of the loop's turn.
                channel.embeddedEventLoop.run()
                while let bytes = try channel.readOutbound(as: ByteBuffer.self) { received += bytes.readableBytesView }
            }
            for head in String(decoding: received, as: UTF8.self).split(separator: "\r\n\r\n") {
                if head.split(separator: "\r\n").last?.hasPrefix("X-Request-Id: ") == true { answeredByTheGate += 1 }
            }
            return TwoPaths.comparable(received, to: segments.flatMap(\.self))
        }
    }

    private let core: GatewayServerCore
    private let eventLoop = EmbeddedEventLoop()
    private let loop: LoopContext
    private let names = HostNames(threads: 1)
    private(set) var answeredByTheGate = 0

    init(_ bench: Bench) throws {
        core = bench.core()
        let tls = try NIOSSLContext(configuration: .makeClientConfiguration())
        loop = LoopContext(
            eventLoop: eventLoop, pool: UpstreamPool(eventLoop: eventLoop, names: names, tls: tls),
            keyRing: nil)
    }

    deinit { names.shutdown() }

    func open(answersLists: Bool) throws -> Client {
        let channel = EmbeddedChannel(loop: eventLoop)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 9)
        channel.remoteAddress = address
        try channel.pipeline.syncOperations.addGatewayHandlers(core, loop, answersListsAtTheGate: answersLists)
        channel.connect(to: address, promise: nil)
        return Client(channel: channel)
    }

    /// Sends the segments, and behind them a request that shows whether the connection lives.
    func compare(_ segments: [[UInt8]], _ location: SourceLocation = #_sourceLocation) throws {
        let probe = Array("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
        let results = try [true, false].map { answersLists in
            let client = try open(answersLists: answersLists)
            let answers = try client.send(segments + [probe])
            let lives = client.channel.isActive
            _ = try client.channel.finish(acceptAlreadyClosed: true)
            answeredByTheGate += client.answeredByTheGate
            if !answersLists { try #require(client.answeredByTheGate == 0, sourceLocation: location) }
            return (answers, lives)
        }
        try #require(
            results[0] == results[1],
            "\(Self.quoted(segments)): \(results[0]), but on the decoder's path \(results[1])", sourceLocation: location
        )
    }

    static func quoted(_ segments: [[UInt8]]) -> [String] {
        segments.map { String(decoding: $0.prefix(1000), as: UTF8.self).debugDescription }
    }

    /// The answers, each with its lines sorted, since the order of fields means nothing. Left out is what differs between
    /// any two answers: the date, the catalog's age, and an id that the gateway has made.
    static func comparable(_ received: [UInt8], to sent: [UInt8]) -> [String] {
        let sent = String(decoding: sent, as: UTF8.self)
        return String(decoding: received, as: UTF8.self).split(separator: "HTTP/1.1 ").map { answer in
            let lines = answer.split(separator: "\r\n").dropFirst().map { line -> String in
                let name = line.prefix { $0 != ":" }
                let isOwn = name == "X-Request-Id" && !sent.contains(line.dropFirst(name.count + 2))
                return isOwn || name == "Date" || name == "X-Catalog-Age" ? String(name) : String(line)
            }
            return "HTTP/1.1 \(answer.prefix { $0 != "\r\n" })\n" + lines.sorted().joined(separator: "\n")
        }
    }
}
