import Curl
import Foundation

/// An answer of a gateway or a simulator.
struct Answer: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    func json() throws -> JSON { try JSONDecoder().decode(JSON.self, from: Data(body)) }

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Any JSON value, to look into answers without a type for each.
enum JSON: Sendable, Hashable, Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    subscript(key: String) -> JSON {
        if case .object(let members) = self { members[key] ?? .null } else { .null }
    }
    var string: String? { if case .string(let value) = self { value } else { nil } }
    var integer: Int? { if case .number(let value) = self { Int(value) } else { nil } }
    var number: Double? { if case .number(let value) = self { value } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var array: [JSON] { if case .array(let values) = self { values } else { [] } }
    var object: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
}

/// One server, spoken to through our own HTTP client.
struct Server: Sendable {
    static let client = HTTPClient()
    let base: String

    @discardableResult
    func send(
        _ method: String, _ path: String, body: String? = nil, headers: [(name: String, value: String)] = [],
        timeout: Duration = .seconds(40)
    ) async throws -> Answer {
        var request = HTTPRequest(url: base + path)
        request.method = method
        request.headers = headers
        request.totalTimeout = timeout
        if let body {
            request.headers.append((name: "Content-Type", value: "application/json"))
            request.body = .bytes(Array(body.utf8))
        }
        let response = try await Self.client.execute(request)
        return Answer(status: response.status, headers: response.headers, body: response.body)
    }

    func get(_ path: String, headers: [(name: String, value: String)] = []) async throws -> Answer {
        try await send("GET", path, headers: headers)
    }

    /// The ids in `/v1/models`.
    func models() async throws -> [String] {
        let answer = try await get("/v1/models")
        guard answer.status == 200 else { throw CommandFailed(description: "\(answer.status) \(answer.text)") }
        return try answer.json()["data"].array.compactMap { $0["id"].string }
    }

    func endpoint(_ name: String) async throws -> JSON { try await get("/v0/endpoints/\(name)").json() }
}
