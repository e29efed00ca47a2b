import AMQP
import Catalog
import HTTPTypes
import JSON

/// `/healthz` and `/readyz`.
struct HealthRoutes: Sendable {
    let catalog: any CatalogSource
    let sender: any CommandSender
    /// Whether the gateway has been asked to stop.
    let isStopping: @Sendable () -> Bool

    /// The process is alive.
    func health() -> Response { Response(json: Array(#"{"status":"ok"}"#.utf8)) }

    /// 200 once the catalog has been complete, also if the broker is away: the gateway goes on serving what it holds.
    /// 503 before, and as soon as the gateway is asked to stop. The body then has an `error` in the common shape as well.
    func readiness() -> Response {
        let view = catalog.view
        let readiness = view.readiness
        let isStopping = isStopping()
        let failure: HTTPFailure? =
            isStopping ? .stopping : readiness.isReady ? nil : .catalogNotReady(readiness.reason)
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("age_seconds", view.age(at: .now)?.components.seconds)
            writer.field("broker", object: sender) { writer, sender in
                writer.field("consume", Self.word(sender.consuming))
                writer.field("publish", Self.word(sender.publishing))
            }
            if let failure { ErrorBody(failure.error).write(into: &writer) }
            writer.field("ready", failure == nil)
            writer.field("reason", isStopping ? "stopping" : readiness.reason)
            writer.field("unconfirmed", readiness.isUnconfirmed)
            writer.field("version", view.version?.description)
        }
        return Response(json: writer.bytes, status: failure?.status ?? .ok, headers: failure?.headers ?? [:])
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
