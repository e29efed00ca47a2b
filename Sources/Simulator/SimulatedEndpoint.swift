/// One endpoint of the fleet, and what it has seen of its clients.
struct SimulatedEndpoint: Sendable {
    let name: String
    var kind: ServerKind
    /// The port that is this endpoint's alone, if it has one.
    var port: Int?
    var models: [SimulatedModel]
    var behaviour = Behaviour()

    /// Requests for each list path.
    private(set) var requests: [String: Requests] = [:]
    /// Requests for inference, refused ones included.
    private(set) var inference: [InferenceRoute: Int] = [:]
    /// Answers to inference that are in work.
    var streams = StreamCounts()
    var lastRequest: LastRequest?
    /// SHA-256 of each key sent, in hexadecimal.
    private(set) var keysSeen: Set<String> = []

    struct Requests: Sendable {
        var count = 0
        /// Milliseconds since 1970, the latest `kept`.
        var times: [Int64] = []
        static let kept = 1000
    }

    init(name: String, kind: ServerKind, models: [SimulatedModel], behaviour: Behaviour = Behaviour()) {
        self.name = name
        self.kind = kind
        self.models = models
        self.behaviour = behaviour
    }

    mutating func noteList(path: String, at time: Int64) {
        var noted = requests[path] ?? Requests()
        noted.count += 1
        // Dropping half at a time keeps this cheap under load.
        if noted.times.count >= 2 * Requests.kept { noted.times.removeFirst(Requests.kept) }
        noted.times.append(time)
        requests[path] = noted
    }

    mutating func noteInference(_ route: InferenceRoute) { inference[route, default: 0] += 1 }

    mutating func noteKey(digest: String) { keysSeen.insert(digest) }

    mutating func resetCounters() {
        requests = [:]
        inference = [:]
        streams.reset()
        lastRequest = nil
        keysSeen = []
    }

    /// The polls: one poll asks for each list path at most once, so they are the requests for the path asked for most.
    var polls: Requests {
        requests.max { ($0.value.count, $0.key) < ($1.value.count, $1.key) }?.value ?? Requests()
    }
}
