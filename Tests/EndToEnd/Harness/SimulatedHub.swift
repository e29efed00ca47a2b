import Foundation

/// The simulator's Hub: given repositories, told to fail, and asked what it has been asked for.
struct SimulatedHub: Sendable {
    let node: Node

    /// For `HF_ENDPOINT`.
    var base: String { "http://127.0.0.1:\(node.port)/hub" }

    /// What a registrar needs to ask this Hub; its live numbers every second, where `isFresh`.
    func settings(isFresh: Bool = false) -> [String: String] {
        ["HF_ENDPOINT": base].merging(isFresh ? ["ROLLCALL_HUB_REFRESH_INTERVAL": "1"] : [:]) { $1 }
    }

    /// - Parameter repository: as the simulator's help describes it, without `info` where `fixture` gives it.
    func put(_ name: String, _ repository: [String: Any] = [:], fixture: String? = nil) async throws {
        var body = repository
        if let fixture { body["info"] = try Self.fixture(fixture) }
        let data = try JSONSerialization.data(withJSONObject: body)
        try await control("PUT", "hub/repositories/\(name)", String(decoding: data, as: UTF8.self))
    }

    /// A repository of GGUF files with these names and sizes.
    func putGGUF(_ name: String, _ files: [String: Int]) async throws {
        try await put(name, ["generated": files])
    }

    /// `change` is JSON, as in `{"fault":"429","retry_after":7}`.
    func patch(_ change: String) async throws { try await control("PATCH", "hub", change) }

    func report() async throws -> JSON { try await node.server.get("/control/hub").json() }

    /// Requests for weights since the start, which no process of ours may make.
    func weightsRequests() async throws -> Int { try await report()["weights_requests"].integer ?? -1 }

    /// An answer of the real Hub.
    static func fixture(_ name: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(text(name).utf8))
    }

    static func text(_ name: String) throws -> String {
        let file = Paths.root.appendingPathComponent("Tests/RegistrarTests/Fixtures/huggingface/\(name)")
        return try String(contentsOf: file, encoding: .utf8)
    }

    private func control(_ method: String, _ path: String, _ body: String) async throws {
        let answer = try await node.server.send(method, "/control/\(path)", body: body)
        guard (200..<300).contains(answer.status) else {
            throw CommandFailed(description: "\(method) \(path): \(answer.status) \(answer.text)")
        }
    }
}

extension SimulatedFleet {
    /// The Hub of the same simulator.
    var hub: SimulatedHub { SimulatedHub(node: node) }
}

extension Node {
    /// `POST /v0/models/register`.
    func register(
        _ repo: String, _ fields: [String: String] = [:], key: String? = nil, isAsync: Bool = false
    ) async throws -> Answer {
        let data = try JSONSerialization.data(withJSONObject: fields.merging(["repo": repo]) { $1 })
        var headers: [(name: String, value: String)] = []
        if let key { headers.append((name: "Idempotency-Key", value: key)) }
        if isAsync { headers.append((name: "Prefer", value: "respond-async")) }
        return try await server.send(
            "POST", "/v0/models/register", body: String(decoding: data, as: UTF8.self), headers: headers)
    }

    /// The entry of a registered model, with its live state.
    func registered(_ name: String) async throws -> JSON { try await server.get("/v0/models/\(name)").json() }

    func manifest(_ name: String) async throws -> JSON {
        try await server.get("/v0/models/registry/\(name)/manifest.json").json()
    }

    /// The names in `GET /v0/models`.
    func registeredNames() async throws -> [String] {
        try await server.get("/v0/models").json()["models"].array.compactMap { $0["name"].string }
    }
}
