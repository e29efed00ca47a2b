import Synchronization

/// A simulated Hugging Face Hub: repositories, and what their clients have asked for.
final class Hub: Sendable {
    struct State: Sendable {
        /// By their id in lower case: the Hub has no two that differ in letter case only.
        var repositories: [String: HubRepository] = [:]
        var behaviour = HubBehaviour()
        var log = HubLog()
    }

    /// What a request finds.
    struct Visit: Sendable {
        let repository: HubRepository?
        let fault: HubBehaviour.Fault
        let latencyMilliseconds: Int
        let retryAfter: Int?
        let sendsRetryAfter: Bool
        /// Whether the request has a token, and a valid one.
        let token: Token
        /// Requests so far: what the rate limit has left goes down with it.
        let requests: Int

        enum Token: Sendable { case none, invalid, valid }
    }

    /// Milliseconds since 1970.
    let now: @Sendable () -> Int64
    let state = Mutex(State())

    init(now: @escaping @Sendable () -> Int64) { self.now = now }

    func repository(_ id: String) -> HubRepository? {
        state.withLock { $0.repositories[id.lowercased()] }
    }

    /// Adds a commit to the repository, which is made where it does not exist.
    ///
    /// Throws `HubError` where `content` names a commit that does not exist.
    func put(_ id: String, _ content: HubRepositoryBody) throws {
        // Hashing takes its time, and the lock must not wait for it.
        let files = try content.hubFiles()
        try state.withLock { state in
            let old = state.repositories[id.lowercased()]
            state.repositories[id.lowercased()] = try content.repository(id: id, files: files, replacing: old)
        }
    }

    /// Changes one; nil where there is none of that id.
    func update(_ id: String, _ change: (inout HubRepository) throws -> Void) rethrows -> HubRepository? {
        try state.withLock { state in
            guard var repository = state.repositories[id.lowercased()] else { return nil }
            try change(&repository)
            state.repositories[id.lowercased()] = repository
            return repository
        }
    }

    func remove(_ id: String) -> Bool {
        state.withLock { $0.repositories.removeValue(forKey: id.lowercased()) != nil }
    }

    func resetCounters() { state.withLock { $0.log = HubLog() } }

    /// Notes the request, and says how to treat it.
    func visit(_ request: HubRequest) -> Visit {
        let time = now()
        return state.withLock { state in
            state.log.note(request, at: time)
            let key = request.repository?.lowercased() ?? ""
            // The repository's own fault goes before that of the whole Hub.
            var isTaken = state.repositories[key]?.behaviour.takesFault(for: request.kind) ?? false
            let repository = state.repositories[key]
            let own = repository?.behaviour
            var behaviour = isTaken ? own ?? state.behaviour : state.behaviour
            if !isTaken { isTaken = state.behaviour.takesFault(for: request.kind) }
            behaviour.latencyMilliseconds = max(own?.latencyMilliseconds ?? 0, state.behaviour.latencyMilliseconds)
            let required = own?.token ?? state.behaviour.token
            let token: Visit.Token =
                if let sent = request.token { required == nil || sent == required ? .valid : .invalid } else { .none }
            return Visit(
                repository: repository, fault: isTaken ? behaviour.fault : .none,
                latencyMilliseconds: behaviour.latencyMilliseconds, retryAfter: behaviour.retryAfter,
                sendsRetryAfter: behaviour.sendsRetryAfter, token: token, requests: state.log.total)
        }
    }
}

/// What clients have asked the Hub for. Tokens are not part of it, only whether there was one.
struct HubLog: Sendable {
    struct Entry: Sendable, Codable {
        /// Milliseconds since 1970.
        var at: Int64
        var method: String
        /// With the query.
        var path: String
        var host: String
        var kind: HubRequest.Kind
        var hasToken: Bool

        enum CodingKeys: String, CodingKey {
            case at, method, path, host, kind
            case hasToken = "has_token"
        }
    }

    private(set) var total = 0
    private(set) var withToken = 0
    private(set) var kinds: [HubRequest.Kind: Int] = [:]
    /// By id, as the clients wrote it.
    private(set) var repositories: [String: Int] = [:]
    /// The latest `kept`, oldest first.
    private(set) var recent: [Entry] = []
    static let kept = 200

    mutating func note(_ request: HubRequest, at time: Int64) {
        total += 1
        if request.token != nil { withToken += 1 }
        kinds[request.kind, default: 0] += 1
        if let repository = request.repository { repositories[repository, default: 0] += 1 }
        if recent.count == Self.kept { recent.removeFirst() }
        recent.append(
            Entry(
                at: time, method: request.method, path: request.uri, host: request.host, kind: request.kind,
                hasToken: request.token != nil))
    }
}
