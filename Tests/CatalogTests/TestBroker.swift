import AMQP
import Catalog
import FoundationEssentials
import Logging
import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// The broker named by `ROLLCALL_TEST_AMQP_URL`, in a namespace that is this test's own.
final class TestBroker: Sendable {
    static let url = getenv("ROLLCALL_TEST_AMQP_URL").map { String(cString: $0) }
    static var isThere: Bool { url != nil }

    let map: BrokerMap
    let publishing: Connection
    /// How many messages a test has counted.
    let marks = Counter()
    private let url: String

    final class Counter: Sendable {
        private let count = Mutex(0)

        /// The number before.
        func add() -> Int {
            count.withLock { count in
                defer { count += 1 }
                return count
            }
        }
    }

    private init(url: String, hasImages: Bool) throws {
        self.url = url
        map = BrokerMap(namespace: "t-\(UUID().uuidString.prefix(8).lowercased())")
        publishing = try Self.connection(url, "\(map.namespace)-test", map, hasImages: hasImages)
    }

    /// Runs `body` with the queues there, and deletes them afterwards.
    static func run(hasImages: Bool = true, _ body: (TestBroker) async throws -> Void) async throws {
        let broker = try TestBroker(url: try #require(url), hasImages: hasImages)
        let running = Task { try await broker.publishing.run() }
        do {
            try await broker.connected(broker.publishing)
            try await body(broker)
        } catch {
            running.cancel()
            try await broker.deleteQueues()
            throw error
        }
        running.cancel()
        try await running.value
        try await broker.deleteQueues()
    }

    func publish(_ messages: CatalogMessage...) async throws {
        for message in messages {
            try await publishing.publish(message.encoded(), to: BrokerMap.exchange(to: map.catalog), routingKey: "")
        }
    }

    func startFollower() throws -> FollowerProcess { try FollowerProcess(url: url, map: map) }

    /// Closes the consuming connection of `process` from the broker's side.
    func dropConnections(of process: FollowerProcess) async throws {
        try await BrokerControl.evaluate(
            """
            [rabbit_networking:close_connection(P, "test") || P <- rabbit_networking:local_connections(), \
            lists:keymember(<<"\(process.connectionName)">>, 3, proplists:get_value(client_properties, \
            rabbit_networking:connection_info(P, [client_properties]), []))].
            """)
    }

    /// Deletes the stream, and makes it again as any connection does that comes up.
    func recreateStream() async throws {
        try await deleteQueues()
        let connection = try Self.connection(url, "\(map.namespace)-again", map)
        let running = Task { try await connection.run() }
        try await connected(connection)
        running.cancel()
        try await running.value
    }

    private func connected(_ connection: Connection) async throws {
        for await status in connection.statusUpdates() where status == .connected { return }
    }

    private func deleteQueues() async throws {
        try await BrokerControl.deleteQueues(withPrefix: "\(map.namespace).")
    }

    static func connection(
        _ url: String, _ name: String, _ map: BrokerMap, hasImages: Bool = false
    ) throws -> Connection {
        let names = hasImages ? [map.catalog, map.images] : [map.catalog]
        let topology = Topology(
            exchanges: map.topology.exchanges.filter { names.map(BrokerMap.exchange(to:)).contains($0.name) },
            queues: map.topology.queues.filter { names.contains($0.name) },
            bindings: map.topology.bindings.filter { names.contains($0.queue) })
        return try Connection(
            configuration: ConnectionConfiguration(urls: [url], name: name), topology: topology,
            logger: Logger(label: name, factory: { _ in SwiftLogNoOpLogHandler() }))
    }
}

/// A follower with connections of its own, as a process has it.
final class FollowerProcess: Sendable {
    let follower: CatalogFollower
    let log: FollowerLog
    let connectionName: String
    private let running: Task<Void, any Error>

    init(url: String, map: BrokerMap) throws {
        connectionName = "\(map.namespace)-consuming"
        let consuming = try TestBroker.connection(url, connectionName, map)
        let publishing = try TestBroker.connection(url, "\(map.namespace)-publishing", map)
        let log = FollowerLog()
        self.log = log
        let follower = CatalogFollower(
            brokerMap: map, consuming: consuming, publishing: publishing,
            configuration: CatalogFollower.Configuration(), logger: Logger(label: "follower", factory: { _ in log }))
        self.follower = follower
        running = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await consuming.run() }
                group.addTask { try await publishing.run() }
                group.addTask { try await follower.run() }
                try await group.waitForAll()
            }
        }
    }

    func stop() async throws {
        running.cancel()
        try await running.value
    }

    /// Asks every few milliseconds, for up to 20 s: there is no event of each change of readiness.
    func until(
        _ what: Comment, _ location: SourceLocation = #_sourceLocation,
        _ condition: (CatalogFollower) -> Bool
    ) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            if condition(follower) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record(what, sourceLocation: location)
        Issue.record("\(follower.readiness), started \(log.starts)", sourceLocation: location)
    }
}

/// Keeps what a follower logs, and where each of its sessions started.
final class FollowerLog: LogHandler, Sendable {
    private let entries = Mutex<[(message: String, start: String?)]>([])

    var starts: [String] { entries.withLock { $0.compactMap(\.start) } }
    var messages: [String] { entries.withLock { $0.map(\.message) } }

    func log(event: LogEvent) {
        entries.withLock { $0.append(("\(event.message)", event.metadata?["start"].map { "\($0)" })) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
}
