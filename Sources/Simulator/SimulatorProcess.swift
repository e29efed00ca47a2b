import FoundationEssentials
import Hummingbird
import Launch
import Logging
import ServiceLifecycle
import Synchronization

/// `rollcall-simulator`.
@main struct SimulatorProcess: RollcallProcess {
    static let role = "simulator"
    static let usesBroker = false
    static let abstract = """
        A fleet of simulated inference servers, for demonstrations, tests, and benchmarks.

          rollcall-simulator --endpoints 200 --models 20 --churn 5
          curl http://127.0.0.1:20000/e/sim-0000/v1/models      the first endpoint, by path
          curl http://127.0.0.1:20000/control/fleet             all endpoints, and the polls they have seen

        An endpoint's base URL is http://HOST:PORT/e/NAME, and with --ports also http://HOST:ITS-PORT.

          GET    /control/fleet, /control/endpoints/NAME
          PUT    /control/endpoints/NAME    {"kind":"vllm","models":["a",{"id":"b","context_length":8192}]}
          PATCH  /control/endpoints/NAME    {"models":[…],"behaviour":{"fault":"hang","latency_ms":50,"key":"…"}}
          DELETE /control/endpoints/NAME
          POST   /control/churn             {"on":true}
          POST   /control/reset-counters

        Kinds: vllm, llamacpp, ollama, lmstudio, openai.
        Faults: none, hang, reset, 500, html (page with 200), redirect (to a login), truncated, empty, huge (50 MB).
        """
    static let settings = SimulatorSettings.all

    private let configuration: SimulatorSettings
    private let logger: Logger

    init(settings: ProcessSettings, common: CommonSettings) throws {
        configuration = try SimulatorSettings(settings)
        logger = common.logger
    }

    func services() async throws -> [any Service] {
        let fleet = Self.fleet(configuration)
        var services: [any Service] = [ChurnService(fleet: fleet)]
        let names = fleet.state.withLock { $0.names }
        for (name, port) in zip(names, configuration.ports) {
            services.append(application(EndpointResponder(fleet: fleet, onlyEndpoint: name), port: port))
        }
        services.append(application(Self.responder(fleet), port: configuration.port))
        return services
    }

    static func fleet(_ configuration: SimulatorSettings) -> Fleet {
        let pool = ModelPool(size: max(48, 2 * configuration.models))
        let fleet = Fleet(pool: pool, seed: configuration.seed, churnRate: configuration.churn) {
            Int64(Date().timeIntervalSince1970 * 1000)
        }
        fleet.populate(
            count: configuration.endpoints, models: configuration.models, mix: configuration.mix,
            ports: configuration.ports)
        return fleet
    }

    static func responder(_ fleet: Fleet) -> EndpointResponder {
        EndpointResponder(fleet: fleet, control: ControlRoutes(fleet: fleet).responder())
    }

    private func application(_ responder: EndpointResponder, port: Int) -> Application<EndpointResponder> {
        Application(
            responder: responder,
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: port), serverName: nil, backlog: 4096),
            logger: logger)
    }
}
