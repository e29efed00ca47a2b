import AMQP
import Catalog
import Curl
import Glibc
import Launch
import Logging
import ServiceLifecycle

/// `rollcall-poller`: asks the endpoints what they serve.
@main
struct PollerProcess: RollcallProcess {
    static let role = "poller"
    static let abstract = """
        Polls the endpoints and reports what they serve. Any number of pollers share the work; one of them at a time \
        decides what is due.
        """
    static let settings = [
        pollInterval, pollTimeout, pollsInFlight, EndpointAuthorities.setting, HealthServer.portSetting,
    ]

    static let pollInterval = Setting(
        name: "ROLLCALL_POLL_INTERVAL", kind: "seconds", defaultValue: "10",
        meaning: "How often an endpoint is polled whose record does not say; 1 to 3600.")
    static let pollTimeout = Setting(
        name: "ROLLCALL_POLL_TIMEOUT", kind: "seconds", defaultValue: "5",
        meaning: "After this a poll has failed; 0.1 to 60.")
    static let pollsInFlight = Setting(
        name: "ROLLCALL_POLLS_IN_FLIGHT", kind: "integer", defaultValue: "2000",
        meaning: """
            How many polls this poller makes at once, at most; 1 to 100000. Each holds a connection, and that of an \
            endpoint that hangs does so until ROLLCALL_POLL_TIMEOUT. If none is left, other pollers get the work.
            """)
    /// A test facility, and for nothing else: a wall clock that is wrong by so many seconds.
    static let testClockOffset = Setting(
        name: "ROLLCALL_TEST_CLOCK_OFFSET", kind: "integer", defaultValue: "0",
        meaning: "For tests: seconds by which the wall clock is wrong.")

    /// A hanging broker connection is noticed within 2.5 of these: a scheduler that hangs blocks the ticks.
    private static let heartbeat = Duration.seconds(5)
    /// What a job may wait in the queue, and its result to be gathered and confirmed, besides the poll itself.
    private static let jobMargin = Duration.seconds(3)

    /// Descriptors for all else: broker, health port, log, verifications.
    private static let reservedDescriptors = 256

    private let common: CommonSettings
    private let interval: Duration
    private let timeout: Duration
    private let inFlight: Int
    private let healthPort: Int?
    /// For polls and verifications.
    let http: HTTPClient.Configuration
    private let keyRing: KeyRing?
    private let clock: PollerClock

    init(settings: ProcessSettings, common: CommonSettings) throws {
        self.common = common
        interval = try settings.seconds(Self.pollInterval, in: 1...3600) ?? .seconds(10)
        timeout = try settings.seconds(Self.pollTimeout, in: 0.1...60) ?? .seconds(5)
        inFlight = try settings.integer(Self.pollsInFlight, in: 1...100_000) ?? 2000
        healthPort = try HealthServer.port(settings)
        var http = HTTPClient.Configuration()
        http.additionalCAFile = try EndpointAuthorities.file(settings)
        self.http = http
        let offset = try settings.integer(Self.testClockOffset, in: -1_000_000_000...1_000_000_000) ?? 0
        clock = .live(wallOffset: .seconds(offset))
        do throws(KeyRingError) {
            keyRing = try common.secretKey.map { text throws(KeyRingError) in try KeyRing(text) }
        } catch {
            throw SettingError(setting: "ROLLCALL_SECRET_KEY", value: nil, allowed: error.description)
        }
    }

    func services(stop: StopRequest) async throws -> [any Service] {
        let brokerMap = BrokerMap(namespace: common.namespace)
        let consuming = try connection("consume", brokerMap.requiredTopology)
        let publishing = try connection("publish", brokerMap.requiredTopology)
        let follower = CatalogFollower(
            brokerMap: brokerMap, consuming: consuming, publishing: publishing,
            configuration: CatalogFollower.Configuration(), logger: common.logger)
        let client = HTTPClient(configuration: http)
        let fleet = Fleet(poller: Fleet.randomID(), clock: clock)
        let engine = engine(follower, client, fleet)
        let scheduler = Scheduler(
            follower: follower, consuming: consuming, publishing: publishing, brokerMap: brokerMap, fleet: fleet,
            clock: clock,
            settings: Schedule.Settings(interval: interval, lostAfter: timeout + Self.jobMargin),
            logger: common.logger,
            onReconcile: { [inFlight] ids in
                engine.keep(only: ids)
                client.keepConnections(Self.connections(to: ids.count, beside: inFlight))
            })
        let worker = PollWorker(
            follower: follower, consuming: consuming, publishing: publishing, queue: brokerMap.polls,
            engine: engine, logger: common.logger)
        let verifier = verifier(follower, consuming, brokerMap.verifications, client, engine)
        let proposer = TickProposer(
            publishing: publishing, brokerMap: brokerMap, poller: fleet.poller, clock: clock, logger: common.logger)
        let imaging = try connection("images", brokerMap.imageTopology)
        let images = ImageKeeper(
            follower: follower, publishing: imaging, brokerMap: brokerMap, fleet: fleet, clock: clock,
            logger: common.logger)
        var services: [any Service] = [
            consuming, publishing, imaging, follower, Lifetime(endedBy: client.shutdown), scheduler, images, proposer,
            worker, verifier,
        ]
        if let healthPort { services.append(health(healthPort, follower, engine)) }
        return services
    }

    /// Connections to be kept: a fifth more than there are endpoints, so that those of endpoints that were removed do not
    /// push out others. Each is a file descriptor, and so is each poll in flight.
    static func connections(to endpoints: Int, beside inFlight: Int) -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let room = Int(clamping: limit.rlim_cur) - inFlight - reservedDescriptors
        return max(64, min(endpoints * 6 / 5 + 64, room))
    }

    private func connection(_ use: String, _ topology: Topology) throws(AMQPError) -> Connection {
        try Connection(
            configuration: common.connection(role: Self.role, use: use, heartbeat: Self.heartbeat),
            topology: topology, logger: common.logger)
    }

    private func engine(_ follower: CatalogFollower, _ client: HTTPClient, _ fleet: Fleet) -> PollEngine {
        let poll = EndpointPoll(
            transport: CurlTransport(client: client), keys: EndpointKeys(keyRing: keyRing), timeout: timeout,
            clock: clock)
        let skipped = SkippedEntries(logger: common.logger)
        return PollEngine(
            fleet: fleet, clock: clock, interval: interval, credit: PollCredit(limit: inFlight),
            memory: MemorySurvey(clock: clock) { await poll.memory(of: $0) }, logger: common.logger,
            poll: { item, memo, completion in
                poll.start(item, memo: memo) { result in
                    if case .success(let outcome) = result { skipped.note(outcome.skipped, of: item.endpoint.name) }
                    completion(result)
                }
            },
            publishesInFull: { follower.readiness.publishInFull },
            publish: { try await follower.publish(.snapshotBatch($0)).confirmed() })
    }

    private func verifier(
        _ follower: CatalogFollower, _ consuming: Connection, _ queue: String, _ client: HTTPClient,
        _ engine: PollEngine
    ) -> Verifier {
        let runner = VerificationRunner(
            poller: engine.fleet.poller, clock: clock, transport: CurlTransport(client: client),
            keys: EndpointKeys(keyRing: keyRing),
            endpoint: { id in follower.read { $0.endpoint(id: id)?.record } },
            result: { registration, endpoint in
                follower.read { catalog in
                    catalog.registration(named: registration)?.verifications.first { $0.endpoint == endpoint }
                }
            },
            publish: { try await follower.publish(.verifyResult($0)).confirmed() })
        return Verifier(
            follower: follower, consuming: consuming, queue: queue, runner: runner,
            isCutOff: { engine.isCutOff }, logger: common.logger)
    }

    private func health(_ port: Int, _ follower: CatalogFollower, _ engine: PollEngine) -> HealthServer {
        HealthServer(port: port, logger: common.logger) {
            let readiness = follower.readiness
            let isCutOff = engine.isCutOff
            let version = follower.read { $0.version?.description }
            let reason = isCutOff ? "cut off from the endpoints: those of several hosts failed" : readiness.reason
            return Launch.Readiness(
                isReady: readiness.letsPollersWork && !isCutOff,
                fields: [
                    ("poller", .string(engine.fleet.poller)), ("scheduler", .bool(engine.fleet.isScheduler)),
                    ("cut_off", .bool(isCutOff)), ("catalog_version", version.map { .string($0) } ?? .null),
                    ("reason", reason.map { .string($0) } ?? .null),
                ])
        }
    }
}
