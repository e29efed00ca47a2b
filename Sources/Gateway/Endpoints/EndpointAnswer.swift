import Catalog
import FoundationEssentials

/// An endpoint as clients see it: its record and what its last polls say. Whatever is not known is null, so that
/// every record has the same fields. The sealed key is never part of it.
struct EndpointAnswer: Encodable {
    let view: EndpointView
    /// Whether the list of models is part of the answer.
    let listsModels: Bool

    /// Only the models that `caller` may see are listed and counted.
    init(_ view: EndpointView, for caller: Caller = .admin, listsModels: Bool = false) {
        self.view = caller.visible(view)
        self.listsModels = listsModels
    }

    /// As the record says, or as a poll has found out.
    static func kind(of view: EndpointView) -> EndpointKind { view.snapshot?.health.kind ?? view.record.kind }

    enum CodingKeys: String, CodingKey {
        case id, name, kind, labels, draining, state, poller, revision, models
        case baseURL = "base_url"
        case pollIntervalSeconds = "poll_interval_seconds"
        case maxConcurrency = "max_concurrency"
        case createdAt = "created_at"
        case hasAPIKey = "has_api_key"
        case modelCount = "model_count"
        case latencyMilliseconds = "latency_ms"
        case lastPolledAt = "last_polled_at"
        case lastOKAt = "last_ok_at"
        case consecutiveFailures = "consecutive_failures"
        case lastError = "last_error"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let record = view.record
        try container.encode(record.id, forKey: .id)
        try container.encode(record.name, forKey: .name)
        try container.encode(record.baseURL, forKey: .baseURL)
        try container.encode(Self.kind(of: view), forKey: .kind)
        try container.encode(record.labels, forKey: .labels)
        try container.encode(record.pollIntervalSeconds, forKey: .pollIntervalSeconds)
        try container.encode(record.maxConcurrency, forKey: .maxConcurrency)
        try container.encode(record.draining, forKey: .draining)
        try container.encode(Timestamp.text(seconds: record.createdAt), forKey: .createdAt)
        try container.encode(record.revision, forKey: .revision)
        try container.encode(record.sealedAPIKey != nil, forKey: .hasAPIKey)
        try encodeHealth(into: &container)
        if listsModels { try container.encode(view.snapshot?.models ?? [], forKey: .models) }
    }

    private func encodeHealth(into container: inout KeyedEncodingContainer<CodingKeys>) throws {
        let health = view.snapshot?.health
        try container.encode(view.state, forKey: .state)
        try container.encode(view.snapshot?.models.count ?? 0, forKey: .modelCount)
        try container.encode(health?.latencyMilliseconds, forKey: .latencyMilliseconds)
        try container.encode(health.map { Timestamp.text(milliseconds: $0.observedAt) }, forKey: .lastPolledAt)
        try container.encode(health?.lastOKAt.map(Timestamp.text(milliseconds:)), forKey: .lastOKAt)
        try container.encode(health?.failures ?? 0, forKey: .consecutiveFailures)
        try container.encode(health?.error, forKey: .lastError)
        try container.encode(health?.poller, forKey: .poller)
    }
}

extension Caller {
    fileprivate func visible(_ view: EndpointView) -> EndpointView {
        guard models != nil else { return view }
        var view = view
        view.snapshot?.models.removeAll { !allows(model: $0.id) }
        return view
    }
}

/// The body of `GET /v0/endpoints`.
struct EndpointListAnswer: Encodable {
    let endpoints: [EndpointAnswer]
    let total: Int
}

/// Points in time as RFC 3339 in UTC.
enum Timestamp {
    static func text(milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    static func text(seconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(Date.ISO8601FormatStyle())
    }
}
