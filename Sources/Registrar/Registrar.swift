import AMQP
import Catalog
import Curl
import FoundationEssentials
import Launch
import Logging
import ServiceLifecycle

/// `rollcall-registrar`: owns the registry.
@main
struct Registrar: RollcallProcess {
    static let role = "registrar"
    static let abstract = """
        Keeps the registry of endpoints and of registered Hugging Face models: executes the commands that gateways \
        send, one transaction each, and announces what has changed. One registrar works, others on the same database stand by.
        """

    static let databaseURL = Setting(
        name: "ROLLCALL_DATABASE_URL", kind: "text", defaultValue: "sqlite:rollcall.sqlite",
        meaning: "The registry's database, sqlite:PATH; registrars on one host share it.")
    static let endpoints = Setting(
        name: "ROLLCALL_ENDPOINTS", kind: "list",
        meaning:
            "Endpoints to make where their names are missing, name=url separated by commas; one that was deleted stays deleted until its entry changes."
    )
    static let adopt = Setting(
        name: "ROLLCALL_ADOPT", kind: "bool", defaultValue: "false",
        meaning: "Take over the stream of another registry, once: its endpoints go, those of this database stay.")
    static let failpointSetting = Setting(
        name: "ROLLCALL_FAILPOINT", kind: "word",
        meaning:
            "A facility of the tests: the process kills itself at before-commit, after-commit, or after-announce of a command."
    )
    static let hubRefreshInterval = Setting(
        name: "ROLLCALL_HUB_REFRESH_INTERVAL", kind: "seconds", defaultValue: "600",
        meaning: "How often the Hub is asked for a registered model's downloads and likes; 1 to 86400.")
    static let verifyTimeout = Setting(
        name: "ROLLCALL_VERIFY_TIMEOUT", kind: "seconds", defaultValue: "60",
        meaning: "How long one endpoint may take to generate the tokens of a verification; 1 to 600.")
    static let settings =
        [databaseURL, endpoints, adopt] + HubSettings.all
        + [hubRefreshInterval, verifyTimeout, HealthServer.portSetting, failpointSetting]

    private let location: DatabaseLocation
    private let configured: ConfiguredEndpoints
    private let isAdopting: Bool
    private let healthPort: Int?
    private let failpoint: Failpoint?
    private let hubSettings: (hub: HubAddress, token: String?)
    private let schedule: HubSchedule
    private let verifyTimeout: Duration
    private let common: CommonSettings

    init(settings: ProcessSettings, common: CommonSettings) throws {
        location = try Self.location(settings)
        configured = try Self.configured(settings)
        isAdopting = try settings.bool(Self.adopt) ?? false
        healthPort = try HealthServer.port(settings)
        failpoint = try settings.choice(Self.failpointSetting, of: Failpoint.allCases.map(\.rawValue))
            .flatMap(Failpoint.init(rawValue:))
        hubSettings = try HubSettings.read(settings)
        schedule = HubSchedule(interval: try settings.seconds(Self.hubRefreshInterval, in: 1...86400) ?? .seconds(600))
        verifyTimeout = try settings.seconds(Self.verifyTimeout, in: 1...600) ?? .seconds(60)
        self.common = common
    }

    func services(stop: StopRequest) async throws -> [any Service] {
        let logger = common.logger
        let failpoint = Failpoint.killing(at: failpoint)
        let store = try await openStore(failpoint)
        let map = BrokerMap(namespace: common.namespace)
        let publishing = try connection("publish", map)
        let consuming = try connection("consume", map)
        var followerConfiguration = CatalogFollower.Configuration()
        followerConfiguration.needsRecordsOnly = true
        let follower = CatalogFollower(
            brokerMap: map, consuming: consuming, publishing: publishing, configuration: followerConfiguration,
            logger: logger)
        let activity = RegistrarActivity()
        let stream = FollowedStream(follower: follower)
        let clock = ClockAnnouncer(
            effects: follower.effects(), stream: stream, activity: activity, wallClock: Self.milliseconds,
            logger: logger)
        let announcer = Announcer(
            store: store, stream: stream, patience: Patience(logger: logger), logger: logger)
        let client = HTTPClient()
        let hub = HubLookup(hub: hubSettings.hub, token: hubSettings.token, client: client)
        let verification = FleetVerification(
            follower: follower, publishing: publishing, queue: map.verifications, timeout: verifyTimeout,
            logger: logger, wallClock: Self.milliseconds)
        let accepted = AcceptedCommandRunner(
            announcer: announcer, hub: hub, verify: verification.verify, failpoint: failpoint, schedule: schedule,
            logger: logger, wallClock: Self.milliseconds)
        let numbers = HubNumbers(
            announcer: announcer, hub: hub, schedule: schedule, isActive: { activity.isActive }, logger: logger,
            wallClock: Self.milliseconds)
        let consumer = CommandConsumer(
            queue: map.commands, connection: consuming,
            processor: CommandProcessor(
                announcer: announcer, failpoint: failpoint, logger: logger, wallClock: Self.milliseconds),
            housekeeper: Housekeeper(
                announcer: announcer, configured: configured, adopt: isAdopting, logger: logger,
                wallClock: Self.milliseconds),
            accepted: accepted, numbers: numbers, activity: activity, logger: logger)
        let proposer = HousekeepingProposer(
            queue: map.commands, connection: publishing, activity: activity,
            name: common.connection(role: Self.role, use: "publish", heartbeat: Self.heartbeat).name, logger: logger)
        let report = RegistrarReport(
            store: store, follower: follower, consuming: consuming, publishing: publishing, activity: activity)
        let health = healthPort.map { port in
            HealthServer(port: port, logger: logger) { await report.readiness() }
        }
        return [
            publishing, consuming, follower, Lifetime(endedBy: client.shutdown), accepted, numbers, consumer, proposer,
            clock,
        ] + (health.map { [$0] } ?? [])
    }

    private static let heartbeat = Duration.seconds(10)

    /// The wall clock in milliseconds since 1970.
    private static let milliseconds: @Sendable () -> Int64 = { Int64(Date.now.timeIntervalSince1970 * 1000) }

    private func connection(_ use: String, _ map: BrokerMap) throws -> Connection {
        try Connection(
            configuration: common.connection(role: Self.role, use: use, heartbeat: Self.heartbeat),
            topology: map.requiredTopology, logger: common.logger)
    }

    /// A database that cannot be used is a matter of the configuration: exit code 78 and one line.
    private func openStore(_ failpoint: @escaping FailpointHandler) async throws -> RegistryStore {
        do {
            return try await RegistryStore.opened(at: location, failpoint: failpoint, within: .seconds(30))
        } catch let error as RegistryStoreError {
            throw ProcessExit(code: 78, message: "\(Self.databaseURL.name): \(error)")
        }
    }

    private static func location(_ settings: ProcessSettings) throws -> DatabaseLocation {
        let text = try settings.string(databaseURL) ?? ""
        do {
            return try DatabaseLocation(text)
        } catch {
            throw SettingError(
                setting: databaseURL.name, value: text, allowed: "\(DatabaseLocation.allowed) (\(error))")
        }
    }

    /// The value is not shown: a URL in it may hold a password where one does not belong.
    private static func configured(_ settings: ProcessSettings) throws -> ConfiguredEndpoints {
        do {
            return try ConfiguredEndpoints(try settings.string(endpoints) ?? "")
        } catch let error as ConfiguredEndpointsError {
            throw SettingError(
                setting: endpoints.name, value: nil, allowed: "\(ConfiguredEndpoints.allowed) (\(error))")
        }
    }
}
