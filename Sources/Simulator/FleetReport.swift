import Synchronization

/// The answer of `GET /control/fleet`: what a catalog of this fleet must come to, and what the fleet has seen.
struct FleetReport: Codable, Sendable {
    struct Endpoint: Codable, Sendable {
        struct Polls: Codable, Sendable {
            var count: Int
            /// Milliseconds since 1970.
            var times: [Int64]
        }
        var name: String
        /// `/e/<name>` on the simulator's own port.
        var path: String
        /// The port where it also is, alone and without that path.
        var port: Int?
        var kind: ServerKind
        var models: [SimulatedModel]
        var behaviour: Behaviour
        /// Requests for the list, each poll once.
        var polls: Polls
        /// Requests for each list path, and for each path of inference.
        var requests: [String: Int]
        /// Requests for inference, refused ones included.
        var completions: Int
        /// SHA-256 of the keys sent, sorted.
        var keys: [String]
        /// The latest request for inference.
        var lastRequest: LastRequest?
        /// Requests for inference that are being answered, streamed or not.
        var openStreams: Int
        /// The most that were at once.
        var peakOpenStreams: Int
        /// Answers whose client has gone before their end.
        var closedByClient: Int
        /// When the simulator noticed the latest of those, µs since 1970.
        var lastClosedAt: Int64?

        enum CodingKeys: String, CodingKey {
            case name, path, port, kind, models, behaviour, polls, requests, completions, keys
            case lastRequest = "last_request"
            case openStreams = "open_streams"
            case peakOpenStreams = "peak_open_streams"
            case closedByClient = "closed_by_client"
            case lastClosedAt = "last_closed_at"
        }

        init(of endpoint: SimulatedEndpoint) {
            name = endpoint.name
            path = EndpointResponder.basePath + endpoint.name
            port = endpoint.port
            kind = endpoint.kind
            models = endpoint.models
            behaviour = endpoint.behaviour
            polls = Polls(count: endpoint.polls.count, times: endpoint.polls.times)
            requests = endpoint.requests.mapValues(\.count)
            for (route, count) in endpoint.inference { requests[route.rawValue] = count }
            completions = endpoint.inference.values.reduce(0, +)
            keys = endpoint.keysSeen.sorted()
            lastRequest = endpoint.lastRequest
            openStreams = endpoint.streams.open
            peakOpenStreams = endpoint.streams.peak
            closedByClient = endpoint.streams.closedByClient
            lastClosedAt = endpoint.streams.lastClosedAt
        }
    }
    struct Churn: Codable, Sendable {
        var on: Bool
        /// Changes a second.
        var rate: Double
        /// So far.
        var changes: Int
    }

    var seed: UInt64
    var churn: Churn
    /// In the order of their creation.
    var endpoints: [Endpoint]

    init(of fleet: Fleet) {
        let state = fleet.state.withLock { $0 }
        seed = fleet.seed
        churn = Churn(on: state.isChurning, rate: fleet.churnRate, changes: state.changes)
        endpoints = state.names.compactMap { state.endpoints[$0].map(Endpoint.init(of:)) }
    }
}
