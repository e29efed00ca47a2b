import Synchronization

/// The answer of `GET /control/hub`: what the Hub has, and what it has been asked for.
struct HubReport: Codable, Sendable {
    struct Repository: Codable, Sendable {
        /// Branches and tags, and the commits that they name.
        var revisions: [String: String]
        /// All that can be read, sorted.
        var commits: [String]
        var requests: Int
    }

    struct Behaviour: Codable, Sendable {
        var fault: HubBehaviour.Fault
        var timesLeft: Int?
        var latencyMilliseconds: Int
        /// Whether only one token is valid; which one is not told.
        var hasToken: Bool

        enum CodingKeys: String, CodingKey {
            case fault
            case timesLeft = "times_left"
            case latencyMilliseconds = "latency_ms"
            case hasToken = "has_token"
        }
    }

    var behaviour: Behaviour
    var requests: Int
    var requestsWithToken: Int
    /// Downloads of weights; Rollcall itself must never make one.
    var weightsRequests: Int
    /// Every kind, also those with none.
    var kinds: [String: Int]
    /// By id.
    var repositories: [String: Repository]
    /// Requests for repositories that do not exist, or under another spelling, by the id asked for.
    var otherRepositories: [String: Int]
    /// The latest 200, oldest first.
    var recent: [HubLog.Entry]

    enum CodingKeys: String, CodingKey {
        case behaviour, requests, kinds, repositories, recent
        case requestsWithToken = "requests_with_token"
        case weightsRequests = "weights_requests"
        case otherRepositories = "other_repositories"
    }

    init(of hub: Hub) {
        let state = hub.state.withLock { $0 }
        let log = state.log
        behaviour = Behaviour(
            fault: state.behaviour.fault, timesLeft: state.behaviour.times,
            latencyMilliseconds: state.behaviour.latencyMilliseconds, hasToken: state.behaviour.token != nil)
        requests = log.total
        requestsWithToken = log.withToken
        weightsRequests = log.kinds[.weights] ?? 0
        kinds = Dictionary(uniqueKeysWithValues: HubRequest.Kind.allCases.map { ($0.rawValue, log.kinds[$0] ?? 0) })
        var known: [String: Repository] = [:]
        for repository in state.repositories.values {
            known[repository.id] = Repository(
                revisions: repository.revisions, commits: repository.commits.keys.sorted(),
                requests: log.repositories[repository.id] ?? 0)
        }
        repositories = known
        otherRepositories = log.repositories.filter { known[$0.key] == nil }
        recent = log.recent
    }
}
