import AMQP
import Catalog
import Curl
import Launch
import Logging
import ServiceLifecycle

/// The gateway as a process: reads its settings, composes its services.
struct GatewayProcess: RollcallProcess {
    static let role = "gateway"
    static let abstract = "Serves the catalog over HTTP and takes the operator's writes."
    static var settings: [Setting] { GatewaySettings.all }

    private let settings: GatewaySettings
    private let common: CommonSettings
    private let keyRing: KeyRing?

    init(settings: ProcessSettings, common: CommonSettings) throws {
        self.settings = try GatewaySettings(settings)
        self.common = common
        do {
            keyRing = try common.secretKey.map { text throws(KeyRingError) in try KeyRing(text) }
        } catch {
            throw SettingError(setting: "ROLLCALL_SECRET_KEY", problem: "\(error)")
        }
    }

    var stopLimit: Duration { settings.drain + DrainSequence.farewell + .seconds(10) }

    /// The broker's connections before the follower that lives on them, the server last: it is the first to stop, and
    /// what it is still answering can use all the rest.
    func services(stop: StopRequest) async throws -> [any Service] {
        let logger = common.logger
        let brokerMap = BrokerMap(namespace: common.namespace)
        let publishing = try connection("publish", brokerMap)
        let consuming = try connection("consume", brokerMap)
        var configuration = CatalogFollower.Configuration()
        configuration.refreshInterval = common.refreshInterval
        let follower = CatalogFollower(
            brokerMap: brokerMap, consuming: consuming, publishing: publishing, configuration: configuration,
            logger: logger)
        let responder = GatewayResponder(
            catalog: follower,
            sender: BrokerSender(
                brokerMap: brokerMap, publishingConnection: publishing, consumingConnection: consuming,
                follower: follower),
            access: settings.access, keyRing: keyRing, inferenceLimits: settings.inference, logger: logger)
        let watch = RoutingWatch(
            effects: follower.effects(), catalog: follower, dispatcher: responder.inference.dispatcher)
        warnIfOpen(logger)
        return [
            publishing, consuming, follower, watch,
            // Its thread uses OpenSSL, which the end of the process takes apart.
            Lifetime(endedBy: responder.inference.client.shutdown),
            HTTPService(
                responder: responder, host: settings.host, port: settings.port, drainLimit: settings.drain, stop: stop,
                logger: logger),
        ]
    }

    private func connection(_ use: String, _ brokerMap: BrokerMap) throws -> Connection {
        try Connection(
            configuration: common.connection(role: Self.role, use: use, heartbeat: .seconds(10)),
            topology: brokerMap.topology, logger: common.logger)
    }

    private func warnIfOpen(_ logger: Logger) {
        guard settings.access.adminKey == nil else { return }
        logger.warning(
            "Open: no ROLLCALL_ADMIN_KEY is set, so everybody who reaches this address may use it",
            metadata: [LogKey.host: "\(settings.host)"])
    }
}
