/// The kinds of inference servers that can be simulated.
enum ServerKind: String, Sendable, Hashable, Codable, CaseIterable {
    case vllm, llamacpp, ollama, lmstudio, openai

    /// The paths at which a server of this kind lists its models.
    var listPaths: [String] {
        switch self {
        case .vllm, .llamacpp, .openai: ["/v1/models"]
        case .ollama: ["/v1/models", "/api/tags"]
        case .lmstudio: ["/v1/models", "/api/v0/models"]
        }
    }

    /// Whether a server of this kind that has a key wants it at `path`: vLLM protects only `/v1`, and health checks
    /// need no key anywhere.
    func wantsKey(at path: String) -> Bool {
        switch self {
        case .vllm: path.hasPrefix("/v1")
        case .llamacpp: path != "/health"
        case .ollama, .lmstudio, .openai: true
        }
    }
}

/// How many endpoints of each kind a fleet has, as shares: `vllm:2,ollama:1`.
struct KindMix: Sendable, Equatable {
    /// Each kind as often as its share says.
    let cycle: [ServerKind]

    static let all = KindMix(cycle: ServerKind.allCases)

    init(cycle: [ServerKind]) { self.cycle = cycle }

    /// Nil where a kind is unknown or a share is not a number from 1 to 100.
    init?(_ text: String) {
        var cycle: [ServerKind] = []
        for part in text.split(separator: ",") {
            let fields = part.split(separator: ":", maxSplits: 1)
            guard let kind = fields.first.flatMap({ ServerKind(rawValue: String($0)) }) else { return nil }
            guard let share = fields.count == 1 ? 1 : Int(fields[1]), (1...100).contains(share) else { return nil }
            cycle += Array(repeating: kind, count: share)
        }
        guard !cycle.isEmpty else { return nil }
        self.init(cycle: cycle)
    }

    func kind(of index: Int) -> ServerKind { cycle[index % cycle.count] }
}
