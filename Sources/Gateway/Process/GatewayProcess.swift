import AMQP
import Catalog
import Conventions
import Crypto
import Launch
import Logging
import NIOCore
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
        let follower = CatalogFollower(
            brokerMap: brokerMap, consuming: consuming, publishing: publishing,
            configuration: CatalogFollower.Configuration(), logger: logger)
        let sender = BrokerSender(
            brokerMap: brokerMap, publishingConnection: publishing, consumingConnection: consuming, follower: follower)
        let certificates = try certificates()
        let time = RegistrarTime(clock: GatewayResponder.milliseconds, logger: logger)
        let timeWatch = RegistrarTimeWatch(effects: follower.effects(), time: time)
        let core = core(follower, sender, time)
        let watch = RoutingWatch(
            effects: follower.effects(), catalog: follower, dispatcher: core.inference.dispatcher,
            lifeSigns: core.inference.lifeSigns)
        let server = try server(core, certificates)
        warnIfOpen(logger)
        let reload: [any Service] = certificates.map { [CertificateReload(certificates: $0, logger: logger)] } ?? []
        return [publishing, consuming, follower, watch, timeWatch] + reload + [
            HTTPService(
                server: server, host: settings.host, port: settings.port, drainLimit: settings.drain, stop: stop,
                logger: logger)
        ]
    }

    private func core(
        _ follower: CatalogFollower, _ sender: any CommandSender, _ time: RegistrarTime
    ) -> GatewayServerCore {
        let drain = Drain()
        let limits = GatewayLimits()
        let responder = GatewayResponder(
            catalog: follower, sender: sender, access: settings.access, keyRing: keyRing, limits: limits,
            isStopping: { drain.isStopping }, time: time, logger: common.logger)
        let inference = InferenceCore(
            catalog: follower, dispatcher: Dispatcher(limits: settings.inference),
            suspects: SuspectReporter(sender: sender, confirm: limits.confirm, logger: common.logger),
            limits: settings.inference, lists: responder.lists, viaName: viaName)
        var timeouts = ClientTimeouts()
        timeouts.stalledReader = TimeAmount(settings.inference.idleTimeout)
        return GatewayServerCore(
            responder: responder, inference: inference, drain: drain, timeouts: timeouts,
            accessLog: settings.logsAccess ? AccessLog(logger: common.logger, responder: responder) : nil)
    }

    /// The same for every gateway of a deployment: what they have in common is the broker and the namespace.
    private var viaName: String {
        let name = Array((common.namespace + "\n" + common.brokerAddresses.sorted().joined(separator: ",")).utf8)
        return "rollcall-" + SHA256.hash(data: name).prefix(6).hexadecimal
    }

    private func certificates() throws -> ServerCertificates? {
        guard let files = settings.tls else { return nil }
        do {
            return try ServerCertificates(certificateFile: files.certificate, keyFile: files.privateKey)
        } catch let error as ServerCertificates.Unreadable {
            throw SettingError(setting: error.setting.name, problem: error.description)
        }
    }

    private func server(_ core: GatewayServerCore, _ certificates: ServerCertificates?) throws -> GatewayServer {
        var configuration = GatewayServer.Configuration()
        configuration.host = settings.host
        configuration.port = settings.port
        configuration.threads = ProcessorCount.usable
        configuration.tls = certificates
        configuration.endpointAuthorities = settings.endpointAuthorities
        configuration.upstream.connectTimeout = TimeAmount(settings.inference.connectTimeout)
        return try GatewayServer(core: core, keyRing: keyRing, configuration: configuration)
    }

    private func connection(_ use: String, _ brokerMap: BrokerMap) throws -> Connection {
        try Connection(
            configuration: common.connection(role: Self.role, use: use, heartbeat: .seconds(10)),
            topology: brokerMap.requiredTopology, logger: common.logger)
    }

    private func warnIfOpen(_ logger: Logger) {
        guard settings.access.adminKey == nil else { return }
        logger.warning(
            "Open: no ROLLCALL_ADMIN_KEY is set, so everybody who reaches this address may use it",
            metadata: [LogKey.host: "\(settings.host)"])
    }
}
