import AMQP
import Catalog
import Launch

/// What `/readyz` of a registrar says.
struct RegistrarReport: Sendable {
    let store: RegistryStore
    let follower: CatalogFollower
    let consuming: Connection
    let publishing: Connection
    let activity: RegistrarActivity

    /// Ready where it could work if it were, or were to become, the active one: a standby is ready as well.
    func readiness() async -> Launch.Readiness {
        let catalog = follower.readiness
        var fields: [(String, Launch.Readiness.Value)] = []
        fields.append(("role", .string(activity.isActive ? "active" : "standby")))
        fields.append(("broker", .string(Self.word(publishing.status))))
        fields.append(("catalog_current", .bool(catalog.isCurrent)))
        if let reason = catalog.reason { fields.append(("catalog", .string(reason))) }
        do {
            let state = try await store.state()
            fields.append(("registry", .string(state.uuid)))
            fields.append(("incarnation", .integer(Int(state.incarnation))))
            fields.append(("revision", .integer(Int(state.revision))))
            fields.append(("announced", .integer(Int(state.announced))))
        } catch {
            fields.append(("database", .string("\(error)")))
            return Launch.Readiness(isReady: false, fields: fields)
        }
        let isConnected = publishing.status == .connected && consuming.status == .connected
        return Launch.Readiness(
            isReady: isConnected && activity.isSubscribed && catalog.isCurrent, fields: fields)
    }

    private static func word(_ status: ConnectionStatus) -> String {
        switch status {
        case .disconnected: "disconnected"
        case .connected: "connected"
        case .blocked: "blocked"
        case .stopped: "stopped"
        }
    }
}
