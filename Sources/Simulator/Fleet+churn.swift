import Launch
import ServiceLifecycle
import Synchronization

extension Fleet {
    var isChurning: Bool { state.withLock { $0.isChurning } }

    func setChurning(_ on: Bool) { state.withLock { $0.isChurning = on } }

    /// One change, the next of those that the seed determines: a model comes to an endpoint or leaves it.
    ///
    /// The last model of an endpoint stays: an empty list is a fault of its own, not a change.
    func change() {
        state.withLock { state in
            guard let name = state.names.randomElement(using: &state.generator),
                var endpoint = state.endpoints[name]
            else { return }
            let number = Int.random(in: 0..<pool.size, using: &state.generator)
            let model = pool.model(number, kind: endpoint.kind)
            let comes = Bool.random(using: &state.generator)
            if endpoint.models.count > 1, !comes || endpoint.models.contains(where: { $0.id == model.id }) {
                endpoint.models.remove(at: Int.random(in: endpoint.models.indices, using: &state.generator))
            } else if !endpoint.models.contains(where: { $0.id == model.id }) {
                endpoint.models.append(model)
            }
            state.endpoints[name] = endpoint
            state.changes += 1
        }
    }
}

/// Changes the fleet at its rate while it is asked to.
struct ChurnService: Service {
    let fleet: Fleet
    private static let step = Duration.milliseconds(20)

    func run() async throws {
        let rate = fleet.churnRate > 0 ? fleet.churnRate : 1
        let clock = ContinuousClock()
        await cancelWhenGracefulShutdown {
            var due = 0.0
            var last = clock.now
            while !Task.isCancelled {
                do { try await clock.sleep(for: Self.step) } catch { return }
                let now = clock.now
                if fleet.isChurning { due += (now - last) / .seconds(1) * rate }
                last = now
                while due >= 1 {
                    fleet.change()
                    due -= 1
                }
            }
        }
    }
}
