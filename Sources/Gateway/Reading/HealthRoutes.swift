import AMQP
import Catalog
import Hummingbird

/// `/healthz` and `/readyz`.
struct HealthRoutes: Sendable {
    let catalog: any CatalogSource
    let sender: any CommandSender
    let drain: Drain

    /// The process is alive.
    func health() throws -> Response { try .json(["status": "ok"]) }

    /// 200 once the catalog has been complete, also with the broker away: what is held is served on.
    /// 503 before, and from the moment on at which the gateway is asked to stop; the body then has an `error` in the
    /// common shape as well.
    func readiness() throws -> Response {
        let readiness = catalog.readiness
        let isStopping = drain.isStopping
        let failure: HTTPFailure? =
            isStopping ? .stopping : readiness.isReady ? nil : .catalogNotReady(readiness.reason)
        let report = ReadinessReport(
            ready: failure == nil,
            broker: .init(publish: Self.word(sender.publishing), consume: Self.word(sender.consuming)),
            version: catalog.read { $0.version }?.description,
            ageSeconds: catalog.age.map(\.components.seconds),
            unconfirmed: readiness.isUnconfirmed,
            reason: isStopping ? "stopping" : readiness.reason,
            error: failure.map { ErrorBody($0.error).error })
        return try .json(report, status: failure?.status ?? .ok, headers: failure?.headers ?? [:])
    }

    private static func word(_ status: ConnectionStatus) -> String {
        switch status {
        case .connected: "connected"
        case .blocked: "blocked"
        case .disconnected: "disconnected"
        case .stopped: "stopped"
        }
    }
}

/// The body of `/readyz`.
struct ReadinessReport: Encodable {
    struct Broker: Encodable {
        let publish: String
        let consume: String
    }

    let ready: Bool
    let broker: Broker
    let version: String?
    let ageSeconds: Int64?
    let unconfirmed: Bool
    let reason: String?
    let error: ErrorBody.Fields?

    enum CodingKeys: String, CodingKey {
        case ready, broker, version, unconfirmed, reason, error
        case ageSeconds = "age_seconds"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(ready, forKey: .ready)
        try container.encode(broker, forKey: .broker)
        try container.encode(version, forKey: .version)
        try container.encode(ageSeconds, forKey: .ageSeconds)
        try container.encode(unconfirmed, forKey: .unconfirmed)
        try container.encode(reason, forKey: .reason)
        try container.encodeIfPresent(error, forKey: .error)
    }
}
