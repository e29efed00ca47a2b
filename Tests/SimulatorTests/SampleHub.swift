import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

/// A client of a Hub that has the demonstration's repositories.
func withHub(_ test: @escaping @Sendable (TestClient) async throws -> Void) async throws {
    let hub = Hub { sampleTime * 1000 }
    try hub.addDemonstration()
    try await withClient(sampleFleet(), hub: hub, test)
}

/// An answer of the real Hub, as it was recorded.
func fixture(_ name: String) throws -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try String(
        contentsOf: tests.appendingPathComponent("RegistrarTests/Fixtures/huggingface/\(name)"), encoding: .utf8)
}

extension TestClient {
    func get(_ uri: String, token: String? = nil, range: String? = nil) async throws -> TestResponse {
        var headers: HTTPFields = [:]
        if let token { headers[.authorization] = "Bearer \(token)" }
        if let range { headers[.range] = range }
        return try await execute(uri: uri, method: .get, headers: headers) { $0 }
    }

    func control(_ method: HTTPRequest.Method, _ path: String, _ body: String) async throws -> TestResponse {
        try await execute(uri: "/control/hub\(path)", method: method, body: ByteBuffer(string: body)) { $0 }
    }

    /// Adds a commit, and gives what the control route says of the repository then.
    func put(_ id: String, _ body: String) async throws -> HubReport.Repository {
        let response = try await control(.put, "/repositories/\(id)", body)
        try #require(response.status == .ok, "\(String(buffer: response.body))")
        return try JSONDecoder().decode(HubReport.Repository.self, from: Data(response.body.readableBytesView))
    }

    func hubReport() async throws -> HubReport {
        let response = try await get("/control/hub")
        return try JSONDecoder().decode(HubReport.self, from: Data(response.body.readableBytesView))
    }
}

/// `siblings` of an API answer, by file.
func siblings(_ response: TestResponse) throws -> [String: [String: Any]] {
    let list = try #require(try object(response)["siblings"] as? [[String: Any]])
    return Dictionary(uniqueKeysWithValues: list.map { ($0["rfilename"] as? String ?? "", $0) })
}
