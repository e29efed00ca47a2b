import Catalog
import Synchronization
import Testing

@testable import Gateway

/// A dispatcher, the time, and requests that wait.
final class PlacementBench: Sendable {
    let dispatcher: Dispatcher
    let now = ContinuousClock.now

    init(queue: Int = 10) {
        var limits = InferenceLimits()
        limits.queueLength = queue
        dispatcher = Dispatcher(limits: limits)
    }

    /// A request that was placed, or waits.
    final class Request: Sendable {
        let held = Mutex<(outcomes: [PlacementOutcome], ticket: PlacementTicket?)>(([], nil))

        var outcomes: [PlacementOutcome] { held.withLock { $0.outcomes } }
        var ticket: PlacementTicket? { held.withLock { $0.ticket } }
        var lease: EndpointLease? {
            guard case .placed(let lease) = outcomes.first else { return nil }
            return lease
        }
        /// The endpoint's id, a code, "none left", or nil while it waits.
        var ending: String? {
            switch outcomes.first {
            case .placed(let lease): lease.target.id
            case .failed(let failure): failure.error.code
            case .noneLeft: "none left"
            case nil: nil
            }
        }
        /// Forgets the lease without giving it back.
        func drop() { held.withLock { $0.outcomes = [] } }
    }

    enum Attempt {
        case request(Request)
        case none
        case lineFull
    }

    func attempt(
        _ targets: [InferenceTarget], model: String = "m", sticky: UInt64? = nil,
        excluding: [String] = [], waits: Bool = true, after: Duration = .zero
    ) -> Attempt {
        let request = Request()
        let add: @Sendable (PlacementOutcome) -> Void = { outcome in
            request.held.withLock { $0.outcomes.append(outcome) }
        }
        let placement = dispatcher.place(
            PlacementRequest(
                model: RequestedModel(model), targets: targets, sticky: sticky, excluded: excluding),
            now: now + after, waiter: waits ? add : nil)
        switch placement {
        case .placed(let lease): request.held.withLock { $0.outcomes = [.placed(lease)] }
        case .waiting(let ticket): request.held.withLock { $0.ticket = ticket }
        case .none: return .none
        case .lineFull: return .lineFull
        }
        return .request(request)
    }

    func place(
        _ targets: [InferenceTarget], model: String = "m", excluding: [String] = [], after: Duration = .zero
    ) throws -> Request {
        guard case .request(let request) = attempt(targets, model: model, excluding: excluding, after: after) else {
            throw Refused()
        }
        return request
    }

    struct Refused: Error {}
}

func placementTarget(
    _ id: String, maximum: Int? = 1, isDegraded: Bool = false, weight: Int = 10
) -> InferenceTarget {
    let record = EndpointRecord(
        id: id, name: id, baseURL: "http://x", maxConcurrency: maximum, generation: 1, revision: 1, createdAt: 1)
    return InferenceTarget(
        endpoint: HeldEndpoint(record: record, state: isDegraded ? .degraded : .online), model: ModelID("m"),
        isDegraded: isDegraded, weight: weight)
}
