import Catalog
import ServiceLifecycle

/// Keeps the dispatcher up to date with what the catalog stream says of endpoints.
struct RoutingWatch: Service {
    let effects: AsyncStream<[CatalogEffect]>
    let catalog: any CatalogSource
    let dispatcher: Dispatcher

    /// Until the follower stops, or graceful shutdown.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await batch in effects { apply(batch) }
        }
    }

    func apply(_ batch: [CatalogEffect]) {
        var mayChangeTargets = false
        for effect in batch {
            switch effect {
            // Without its record the endpoint is no target, and nothing would ever trust it again.
            case .endpointSuspect(let id): if hasRecord(id) { dispatcher.suspect(id) }
            case .snapshotApplied(let id):
                dispatcher.trust(id)
                mayChangeTargets = true
            case .endpointRecordChanged(let id):
                if !hasRecord(id) { dispatcher.forget(id) }
                mayChangeTargets = true
            case .registrationChanged: mayChangeTargets = true
            default: break
            }
        }
        guard mayChangeTargets else { return }
        let view = catalog.view
        dispatcher.refresh { model in
            Result { () throws(HTTPFailure) in
                try ModelResolver.targets(for: model, in: view, unknown: ModelResolver.removed)
            }
        }
    }

    /// Takes the follower's lock, which is allowed here: no event loop runs this.
    private func hasRecord(_ id: String) -> Bool { catalog.read { $0.endpoint(id: id) != nil } }
}
