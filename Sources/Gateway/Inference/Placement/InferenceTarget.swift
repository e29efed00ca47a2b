import Catalog
import Hummingbird

/// An endpoint that a request can be sent to, and under which id it knows the model.
struct InferenceTarget: Sendable, Hashable {
    var endpoint: EndpointRecord
    var model: ModelID
    var isDegraded: Bool

    var candidate: EndpointChooser.Candidate {
        EndpointChooser.Candidate(id: endpoint.id, isDegraded: isDegraded, maximum: endpoint.maxConcurrency)
    }
}

/// Where a model is to be had, by the catalog alone.
struct ModelResolver: Sendable {
    let catalog: any CatalogSource

    static let unknown = HTTPFailure.notFound(
        "model_not_found", "No endpoint has a model with this id; GET /v1/models lists all.")

    /// At least one target. A registered model may be named by its registration; an endpoint that lists the very name
    /// is asked for that one.
    ///
    /// Throws 404 `model_not_found` where nobody has ever heard of it, 503 `model_not_available` where it is registered,
    /// or listed only by endpoints that cannot be used now.
    func targets(for model: String) throws(HTTPFailure) -> [InferenceTarget] {
        let (listed, registered) = catalog.read { catalog in
            (catalog.holders(of: ModelID(model)), catalog.holders(ofRegistration: model))
        }
        var known: Set<String> = []
        let holders = (listed + (registered ?? [])).filter { known.insert($0.record.id).inserted }
        let targets = holders.filter(Self.isUsable).map {
            InferenceTarget(endpoint: $0.record, model: $0.model, isDegraded: $0.state == .degraded)
        }
        guard targets.isEmpty else { return targets }
        guard registered != nil || !holders.isEmpty else {
            throw Self.unknown
        }
        throw .unavailable("model_not_available", Self.reason(holders), retryAfter: 5)
    }

    private static func isUsable(_ holder: ModelHolder) -> Bool {
        !holder.record.draining && (holder.state == .online || holder.state == .degraded)
    }

    private static func reason(_ holders: [ModelHolder]) -> String {
        guard !holders.isEmpty else {
            return "This model is registered, but no endpoint that is online serves it now."
        }
        let named = holders.prefix(5).map {
            "\($0.record.name) (\($0.record.draining ? "draining" : $0.state.rawValue))"
        }
        let more = holders.count > named.count ? " and \(holders.count - named.count) more" : ""
        return "No endpoint that has this model takes requests now: \(named.joined(separator: ", "))\(more)."
    }
}
