import Foundation
import Testing

/// Simulated endpoints on one port; told what to do, and asked for the truth, over HTTP.
struct SimulatedFleet: Sendable {
    let node: Node

    struct Endpoint: Sendable {
        let name: String
        let models: Set<String>
        /// When its list was asked for, in milliseconds since 1970.
        let polls: [Int]
    }

    /// - Parameter host: one of 127.0.0.0/8, so that endpoints can be on different hosts.
    func base(_ name: String, host: String = "127.0.0.1") -> String { "http://\(host):\(node.port)/e/\(name)" }

    /// `ROLLCALL_ENDPOINTS` for these.
    func setting(_ names: [String]) -> String {
        names.map { "\($0)=\(base($0))" }.joined(separator: ",")
    }

    func put(_ name: String, kind: String = "openai", models: [String]) async throws {
        let list = models.map { "\"\($0)\"" }.joined(separator: ",")
        try await control("PUT", "endpoints/\(name)", "{\"kind\":\"\(kind)\",\"models\":[\(list)]}")
    }

    /// `change` is JSON: `{"models":[…]}`, `{"behaviour":{"fault":"hang"}}`, `{"behaviour":{"latency_ms":2000}}`.
    func patch(_ name: String, _ change: String) async throws {
        try await control("PATCH", "endpoints/\(name)", change)
    }

    func setModels(_ name: String, _ models: [String]) async throws {
        let list = models.map { "\"\($0)\"" }.joined(separator: ",")
        try await patch(name, "{\"models\":[\(list)]}")
    }

    func churn(_ on: Bool) async throws { try await control("POST", "churn", "{\"on\":\(on)}") }

    func resetCounters() async throws { try await control("POST", "reset-counters", "{}") }

    func truth() async throws -> [Endpoint] {
        let answer = try await node.server.get("/control/fleet")
        guard answer.status == 200 else { throw CommandFailed(description: "control: \(answer.text)") }
        return try answer.json()["endpoints"].array.map { endpoint in
            Endpoint(
                name: endpoint["name"].string ?? "",
                models: Set(endpoint["models"].array.compactMap { $0["id"].string }),
                polls: endpoint["polls"]["times"].array.compactMap(\.integer))
        }
    }

    private func control(_ method: String, _ path: String, _ body: String) async throws {
        let answer = try await node.server.send(method, "/control/\(path)", body: body)
        guard (200..<300).contains(answer.status) else {
            throw CommandFailed(description: "\(method) \(path): \(answer.status) \(answer.text)")
        }
    }
}

extension Deployment {
    func fleet(endpoints: Int = 0, models: Int = 3, arguments: [String] = []) async throws -> SimulatedFleet {
        let port = try Ports.free()
        let process = try await start(
            "rollcall-simulator", name: "simulator",
            arguments: [
                "--host", "0.0.0.0", "--port", "\(port)", "--endpoints", "\(endpoints)", "--models", "\(models)",
            ] + arguments)
        let node = Node(process: process, server: Server(base: "http://127.0.0.1:\(port)"), port: port)
        try await eventually("the simulator answers") { try await node.server.get("/control/fleet").status == 200 }
        return SimulatedFleet(node: node)
    }
}
