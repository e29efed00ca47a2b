import FoundationEssentials
import Launch
import Logging
import ServiceLifecycle
import Synchronization

/// `rollcall-simulator`.
@main struct SimulatorProcess: RollcallProcess {
    static let role = "simulator"
    static let usesBroker = false
    static let abstract = """
        A fleet of simulated inference servers and a Hugging Face Hub, for demonstrations, tests, and benchmarks.

          rollcall-simulator --endpoints 200 --models 20 --churn 5
          curl http://127.0.0.1:20000/e/sim-0000/v1/models      the first endpoint, by path
          curl http://127.0.0.1:20000/control/fleet             all endpoints, and the polls they have seen

        An endpoint's base URL is http://HOST:PORT/e/NAME, and with --ports also http://HOST:ITS-PORT.

          GET    /control/fleet, /control/endpoints/NAME
          PUT    /control/endpoints/NAME    {"kind":"vllm","models":["a",{"id":"b","context_length":8192}]}
          PATCH  /control/endpoints/NAME    {"models":[…],"behaviour":{"fault":"hang","latency_ms":50,"key":"…",
                                            "completion_fault":"error","first_byte_ms":500,
                                            "chunk_interval_ms":20,"chunk_bytes":100,
                                            "gpu_memory_bytes":34359738368}}
          DELETE /control/endpoints/NAME
          POST   /control/churn             {"on":true}
          POST   /control/reset-counters

        Kinds: vllm, llamacpp, ollama, lmstudio, openai.
        Faults: none, hang, reset, 500, html (page with 200), redirect (to a login), truncated, empty, huge (50 MB).

        Each endpoint answers POST /v1/chat/completions, completions, embeddings, responses, rerank, messages,
        audio/transcriptions, audio/translations, audio/speech, images/generations, and images/edits. Bodies may have
        64 MiB. The same request gives the same answer: a greeting of 16 words, each of them a token. With "ignore_eos", or
        with chunk_interval_ms or chunk_bytes, it goes on up to the request's limit (at most 100000 tokens).
        Chats, responses, and messages call the first of the "tools", and answer once its result has come. "tool_choice" and
        schemas are followed (response_format, text.format, output_format), and so are "stop", "n", and the limits.
        With "stream":true each token is an event, chunk_interval_ms apart, with chunk_bytes of text, its "sequence", and
        its "sent_at" (µs since 1970).
        Faults of inference alone: none, hang, error (500), html, empty, close_after_headers, half_chunk, stall (after
        three events), huge (1 GB), reset, reset_midway, status_502, status_503, status_504, slow_headers (first_byte_ms,
        or 5 s). Told of each endpoint: last_request, open_streams, peak_open_streams, closed_by_client, last_closed_at.

        The Hub is HF_ENDPOINT=http://HOST:PORT/hub; GET /control/hub lists its repositories and what they were asked.

          GET    /control/hub, /control/hub/repositories/ORG/NAME
          PATCH  /control/hub               {"fault":"429","times":2,"only":"api","latency_ms":50,"retry_after":1,
                                            "retry_after_header":true,"token":"the only valid one"}
          PUT    /control/hub/repositories/ORG/NAME   a commit; the ones before it stay readable by their sha
                 {"info":{an answer of the API as it is},"files":{"config.json":"text"},
                 "generated":{"model.safetensors":100000},"directory":"/path","commit":"40 hex",
                 "revisions":{"v1":"sha"},"gated":"manual","access_granted":true,"private":true,
                 "renamed_to":"org/other","behaviour":{as above, of this repository}}
          PATCH  /control/hub/repositories/ORG/NAME   {"info":{"downloads":7},…}   the same without a commit
          DELETE /control/hub/repositories/ORG/NAME

        Faults of the Hub: none, slow, 429, 500, 503, truncated, reset, hang, away, html, redirect_loopback,
        redirect_host, huge (40 MB). Kinds of requests: api, small_file, weights, head, other.
        """
    static let settings = SimulatorSettings.all

    private let configuration: SimulatorSettings
    private let logger: Logger

    init(settings: ProcessSettings, common: CommonSettings) throws {
        configuration = try SimulatorSettings(settings)
        logger = common.logger
    }

    func services(stop: StopRequest) async throws -> [any Service] {
        let fleet = Self.fleet(configuration)
        var services: [any Service] = [ChurnService(fleet: fleet)]
        let names = fleet.state.withLock { $0.names }
        for (name, port) in zip(names, configuration.ports) {
            services.append(server(EndpointResponder(fleet: fleet, onlyEndpoint: name), port: port))
        }
        services.append(server(Self.responder(fleet, hub: try hub()), port: configuration.port))
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

    private func hub() throws -> Hub? {
        guard configuration.hasHub else { return nil }
        let hub = Hub { Int64(Date().timeIntervalSince1970 * 1000) }
        try hub.addDemonstration()
        return hub
    }

    static func responder(_ fleet: Fleet, hub: Hub? = nil) -> EndpointResponder {
        EndpointResponder(
            fleet: fleet, hub: hub.map(HubResponder.init(hub:)),
            control: ControlRoutes(fleet: fleet, hub: hub))
    }

    private func server(_ responder: EndpointResponder, port: Int) -> HTTPServer {
        HTTPServer(host: configuration.host, port: port, logger: logger) { try await responder.respond(to: $0) }
    }
}
