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
            case .endpointSuspect(let id): dispatcher.suspect(id)
            case .snapshotApplied(let id):
                dispatcher.trust(id)
                mayChangeTargets = true
            case .endpointRecordChanged(let id):
                if catalog.read({ $0.endpoint(id: id) == nil }) { dispatcher.forget(id) }
                mayChangeTargets = true
            case .registrationChanged: mayChangeTargets = true
            default: break
            }
        }
        if mayChangeTargets { dispatcher.refresh() }
    }
}
