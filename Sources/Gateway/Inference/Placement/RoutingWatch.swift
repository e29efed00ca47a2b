import Catalog
import ServiceLifecycle

/// Keeps the dispatcher up to date with what the catalog stream says of endpoints.
struct RoutingWatch: Service {
    let effects: AsyncStream<[CatalogEffect]>
    let catalog: any CatalogSource
    let dispatcher: Dispatcher
    let lifeSigns: LifeSigns

    /// Until the follower stops, or graceful shutdown.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await batch in effects { apply(batch) }
        }
    }

    func apply(_ batch: [CatalogEffect]) {
        var mayChangeTargets = false
        var polled: [String] = []
        for effect in batch {
            switch effect {
            // Without its record the endpoint is no target, and nothing would ever trust it again.
            case .endpointSuspect(let id): if hasRecord(id) { dispatcher.suspect(id) }
            case .snapshotApplied(let id):
                dispatcher.trust(id)
                polled.append(id)
                mayChangeTargets = true
            case .endpointRecordChanged(let id):
                if !hasRecord(id) { dispatcher.forget(id) }
                mayChangeTargets = true
            case .registrationChanged: mayChangeTargets = true
            default: break
            }
        }
        notePolls(of: polled)
        guard mayChangeTargets else { return }
        let view = catalog.view
        dispatcher.refresh { model in
            Result { () throws(HTTPFailure) in
                try ModelResolver.targets(for: model, in: view, unknown: ModelResolver.removed)
            }
        }
    }

    private func notePolls(of ids: [String]) {
        guard !ids.isEmpty else { return }
        let timedOut = catalog.read { catalog in
            ids.map { id in
                let health = catalog.endpoint(id: id)?.snapshot?.health
                return health?.state == .degraded && health?.error?.code == PollFailure.timeout
            }
        }
        for (id, hasTimedOut) in zip(ids, timedOut) { lifeSigns.polled(id, hasTimedOut: hasTimedOut) }
    }

    /// Takes the follower's lock, which is allowed here: no event loop runs this.
    private func hasRecord(_ id: String) -> Bool { catalog.read { $0.endpoint(id: id) != nil } }
}
