import Catalog
import HTTPTypes

/// The body of `POST /v0/endpoints`, checked for form; the key is still plain.
struct NewEndpointBody: Decodable {
    let name: String
    let baseURL: String
    let kind: EndpointKind
    let labels: [String: String]
    let pollIntervalSeconds: Int?
    let maxConcurrency: Int?
    let apiKey: String?

    static let fields: Set = [
        "name", "base_url", "kind", "api_key", "labels", "poll_interval_seconds", "max_concurrency",
    ]

    init(from decoder: any Decoder) throws {
        let reader = try FieldReader(decoder, fields: Self.fields)
        name = try EndpointFields.name(reader.required("name", String.self, "a string"))
        baseURL = try EndpointFields.baseURL(reader.required("base_url", String.self, "a string"))
        kind = try EndpointFields.kind(reader).optional ?? .auto
        labels = try EndpointFields.labels(reader).optional ?? [:]
        pollIntervalSeconds = try EndpointFields.pollInterval(reader).optional
        maxConcurrency = try EndpointFields.maxConcurrency(reader).optional
        apiKey = try EndpointFields.apiKey(reader).optional
    }
}

/// The body of `PATCH /v0/endpoints/{id or name}`, checked for form. Null takes a setting back to its default.
struct EndpointChangeBody: Decodable {
    /// Without the key, which is not sealed yet.
    let change: EndpointChange
    let apiKey: Field<String>

    static let fields = NewEndpointBody.fields.union(["draining"])

    init(from decoder: any Decoder) throws {
        let reader = try FieldReader(decoder, fields: Self.fields)
        var change = EndpointChange()
        change.name = try reader.unlessNull("name", String.self, "a string").map(EndpointFields.name)
        change.baseURL = try reader.unlessNull("base_url", String.self, "a string").map(EndpointFields.baseURL)
        change.kind = try EndpointFields.kind(reader).value(null: .auto)
        change.labels = try EndpointFields.labels(reader).value(null: [:])
        change.pollIntervalSeconds = try EndpointFields.pollInterval(reader).setting
        change.maxConcurrency = try EndpointFields.maxConcurrency(reader).setting
        change.draining = try reader.unlessNull("draining", Bool.self, "true or false")
        self.change = change
        apiKey = try EndpointFields.apiKey(reader)
    }
}

extension Field {
    fileprivate func value(null: Value) -> Value? {
        switch self {
        case .missing: nil
        case .null: null
        case .value(let value): value
        }
    }
}

extension Field where Value: Sendable & Hashable & Codable {
    var setting: EndpointChange.Setting<Value>? {
        switch self {
        case .missing: nil
        case .null: .clear
        case .value(let value): .set(value)
        }
    }
}

/// The fields that both bodies have, each held to the rules of endpoints.
private enum EndpointFields {
    static func name(_ text: String) throws -> String {
        try checked("name") { () throws(APIError) in try EndpointRules.checkName(text) }
        return text
    }

    static func baseURL(_ text: String) throws -> String {
        try checked("base_url") { () throws(APIError) in try EndpointRules.normalizedBaseURL(text) }
    }

    static func kind(_ reader: FieldReader) throws -> Field<EndpointKind> {
        try reader.field("kind", String.self, "a string").map { text in
            try checked("kind") { () throws(APIError) in try EndpointRules.kind(text) }
        }
    }

    static func labels(_ reader: FieldReader) throws -> Field<[String: String]> {
        try reader.field("labels", [String: String].self, "an object of strings").map { labels in
            try checked("labels") { () throws(APIError) in try EndpointRules.checkLabels(labels) }
            return labels
        }
    }

    static func pollInterval(_ reader: FieldReader) throws -> Field<Int> {
        try reader.field("poll_interval_seconds", Int.self, "a whole number").map { seconds in
            try checked("poll_interval_seconds") { () throws(APIError) in
                try EndpointRules.checkPollInterval(seconds)
            }
            return seconds
        }
    }

    static func maxConcurrency(_ reader: FieldReader) throws -> Field<Int> {
        try reader.field("max_concurrency", Int.self, "a whole number").map { value in
            try checked("max_concurrency") { () throws(APIError) in try EndpointRules.checkMaxConcurrency(value) }
            return value
        }
    }

    /// Visible ASCII: it is sent in a header, where anything else would be another header or be refused.
    static func apiKey(_ reader: FieldReader) throws -> Field<String> {
        try reader.field("api_key", String.self, "a string").map { key in
            guard (1...4096).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
                throw HTTPFailure.badRequest(
                    "invalid_endpoint_key", "api_key must be 1 to 4096 visible ASCII characters.", param: "api_key")
            }
            return key
        }
    }

    /// A broken rule is a 400 that names the field.
    private static func checked<T>(_ field: String, _ rule: () throws(APIError) -> T) throws -> T {
        do {
            return try rule()
        } catch {
            var error = error
            error.param = error.param ?? field
            throw HTTPFailure(status: .badRequest, error: error)
        }
    }
}

extension Field {
    fileprivate func map<Other>(_ transform: (Value) throws -> Other) rethrows -> Field<Other> {
        switch self {
        case .missing: .missing
        case .null: .null
        case .value(let value): .value(try transform(value))
        }
    }
}
