import Catalog

/// What a request needs a place for.
struct PlacementRequest: Sendable {
    /// Requests for the same model wait in one line.
    var model: RequestedModel
    /// The endpoints that have the model.
    var targets: [InferenceTarget]
    /// Requests with the same value are kept on one endpoint.
    var sticky: UInt64?
    /// Endpoints that were asked already, by id.
    var excluded: [String] = []
}

/// What `Dispatcher.place` gives at once.
enum Placement: Sendable {
    case placed(EndpointLease)
    /// The request stands in the line; its waiter hears how that ends.
    case waiting(PlacementTicket)
    /// There is no target but excluded ones.
    case none
    /// All targets are full, and the request may not wait, or too many wait already.
    case lineFull
}

/// How a wait ends.
enum PlacementOutcome: Sendable {
    case placed(EndpointLease)
    /// No endpoint has the model any more; the answer for the client.
    case failed(HTTPFailure)
    /// The model's only endpoints are those that were asked already.
    case noneLeft
}

/// The model that a request asks for, and which endpoints understand the request.
struct RequestedModel: Sendable, Hashable {
    /// As the client named it.
    let id: ModelID
    /// Only endpoints of this kind speak the request's API; nil: all do.
    let kind: EndpointKind?

    init(_ name: String, kind: EndpointKind? = nil) {
        id = ModelID(name)
        self.kind = kind
    }
}

/// A request's position in a line.
struct PlacementTicket: Sendable, Hashable {
    let model: RequestedModel
    let number: UInt64
}
