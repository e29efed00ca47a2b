import Launch

/// What a simulated fleet is made of. The names have a prefix of their own, since the other processes have an
/// `…_ENDPOINTS` and a `…_PORT` too, and often the same environment.
struct SimulatorSettings: Sendable, Equatable {
    var host: String
    var port: Int
    var ports: [Int]
    var endpoints: Int
    var models: Int
    var mix: KindMix
    var seed: UInt64
    var churn: Double
    var hasHub: Bool

    private static func setting(_ name: String, _ kind: String, _ value: String?, _ meaning: String) -> Setting {
        let prefix = "ROLLCALL_SIMULATOR_"
        return Setting(name: prefix + name, kind: kind, defaultValue: value, meaning: meaning, prefix: prefix)
    }

    static let host = setting(
        "HOST", "address", "0.0.0.0", "Address to listen on; with 0.0.0.0 each 127.x.y.z is a host.")
    static let port = setting("PORT", "integer", "20000", "Port of /control and of all endpoints by path.")
    static let ports = setting("PORTS", "range", nil, "A port for each endpoint as well, such as 20001-20020.")
    static let endpoints = setting("ENDPOINTS", "integer", "20", "How many endpoints.")
    static let models = setting("MODELS", "integer", "5", "How many models each has at the start.")
    static let mix = setting(
        "KIND_MIX", "shares", "vllm,llamacpp,ollama,lmstudio,openai", "Kinds and their shares, such as vllm:3,ollama:1."
    )
    static let seed = setting("SEED", "integer", "1", "The same seed gives the same fleet and the same changes.")
    static let churn = setting("CHURN", "number", "0", "Changes a second in the whole fleet: models come and go.")

    static let hub = setting("HUB", "bool", "true", "A Hugging Face Hub below /hub, with a few made-up repositories.")

    static let all = [endpoints, models, mix, host, port, ports, seed, churn, hub]

    init(_ settings: ProcessSettings) throws(SettingError) {
        host = try settings.string(Self.host) ?? ""
        port = try settings.integer(Self.port, in: 1...65535) ?? 0
        ports = try Self.ports(settings)
        endpoints = max(try settings.integer(Self.endpoints, in: 0...100_000) ?? 0, ports.count)
        models = try settings.integer(Self.models, in: 0...100_000) ?? 0
        let mixText = try settings.string(Self.mix) ?? ""
        guard let mix = KindMix(mixText) else {
            let kinds = ServerKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingError(setting: Self.mix.name, value: mixText, allowed: "kind:share,… with kinds \(kinds)")
        }
        self.mix = mix
        seed = UInt64(try settings.integer(Self.seed, in: 0...Int.max) ?? 0)
        let churnText = try settings.string(Self.churn) ?? ""
        guard let churn = Double(churnText), (0...100_000).contains(churn) else {
            throw SettingError(setting: Self.churn.name, value: churnText, allowed: "a number from 0 to 100000")
        }
        self.churn = churn
        hasHub = try settings.bool(Self.hub) ?? true
    }

    private static func ports(_ settings: ProcessSettings) throws(SettingError) -> [Int] {
        guard let text = try settings.string(ports) else { return [] }
        let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard (1...2).contains(bounds.count), let first = bounds[0], let last = bounds[bounds.count - 1],
            first > 0, first <= last
        else {
            throw SettingError(setting: ports.name, value: text, allowed: "a port or a range of ports: 20001-20020")
        }
        return (first...last).map(Int.init)
    }
}
