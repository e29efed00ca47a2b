import Catalog
import HTTPTypes

/// An endpoint that a request can be sent to, and under which id it knows the model.
struct InferenceTarget: Sendable, EndpointCandidate {
    /// An endpoint's weight, as long as its record has none.
    static let defaultWeight = 10

    let endpoint: HeldEndpoint
    let model: ModelID
    var isDegraded: Bool
    var weight: Int
    /// Of the record. Copied, as a choice reads them often.
    let id: String
    let maximum: Int?

    init(endpoint: HeldEndpoint, model: ModelID, isDegraded: Bool, weight: Int = defaultWeight) {
        self.endpoint = endpoint
        self.model = model
        self.isDegraded = isDegraded
        self.weight = weight
        id = endpoint.id
        maximum = endpoint.maxConcurrency
    }
}

/// Where a model is to be had, by the catalog alone.
enum ModelResolver {
    /// For requests of any caller that wait in the model's line.
    static let removed = HTTPFailure.notFound(
        "model_not_found",
        "The last endpoint of this model was removed while the request waited. GET /v1/models lists the models.")

    /// At least one target. A registered model may be named by its registration. An endpoint that lists the very name is
    /// asked for that one.
    ///
    /// Throws `unknown` if nobody has ever heard of it, 503 `model_not_available` if it is registered, or listed only by
    /// endpoints that cannot be used now. 501 `model_not_on_ollama` if only endpoints of other kinds than
    /// the request needs have it; `route` is what to use instead.
    static func targets(
        for model: RequestedModel, in view: CatalogView, instead route: @autoclosure () -> String? = nil,
        unknown: @autoclosure () -> HTTPFailure
    ) throws(HTTPFailure) -> [InferenceTarget] {
        let found = view.holders(of: model.id.value)
        guard let kind = model.kind else { return try targets(among: found, unknown: unknown()) }
        let speaking = holders(of: model.id.value, ofKind: kind, among: found, in: view)
        guard speaking.isEmpty, !found.holders.isEmpty else {
            return try targets(
                among: ModelHolders(holders: speaking, isRegistered: found.isRegistered), unknown: unknown())
        }
        throw HTTPFailure(
            .notImplemented, code: "model_not_on_ollama",
            "No endpoint of kind Ollama has the model \"\(model.id.value)\"; those that have it do not speak Ollama's API. "
                + "Ask for it at \(route() ?? "the routes of OpenAI's API below /v1").")
    }

    /// The endpoints of one kind among those that were found. If there are none, a name without a tag is looked up once
    /// more with the tag that Ollama's clients mean: an endpoint of another kind may list the very name.
    private static func holders(
        of name: String, ofKind kind: EndpointKind, among found: ModelHolders, in view: CatalogView
    ) -> [ModelHolder] {
        let speaking = found.holders.filter { $0.endpoint.kind == kind }
        guard speaking.isEmpty, !OllamaModelName.hasTag(name) else { return speaking }
        return view.holders(of: name + OllamaModelName.latest).holders.filter { $0.endpoint.kind == kind }
    }

    static func targets(
        among found: ModelHolders, unknown: @autoclosure () -> HTTPFailure
    ) throws(HTTPFailure) -> [InferenceTarget] {
        var targets: [InferenceTarget] = []
        targets.reserveCapacity(found.holders.count)
        for holder in found.holders where isUsable(holder.endpoint) {
            let isDegraded = holder.endpoint.state == .degraded
            targets.append(InferenceTarget(endpoint: holder.endpoint, model: holder.model, isDegraded: isDegraded))
        }
        guard targets.isEmpty else { return targets }
        guard found.isRegistered || !found.holders.isEmpty else { throw unknown() }
        throw .unavailable("model_not_available", reason(found.holders), retryAfter: 5)
    }

    private static func isUsable(_ endpoint: HeldEndpoint) -> Bool {
        !endpoint.isDraining && (endpoint.state == .online || endpoint.state == .degraded)
    }

    private static func reason(_ holders: [ModelHolder]) -> String {
        guard !holders.isEmpty else {
            return "This model is registered, but no endpoint that is online serves it now."
        }
        let named = holders.prefix(5).map(\.endpoint).map {
            "\($0.record.name) (\($0.record.draining ? "draining" : $0.state.rawValue))"
        }
        let more = holders.count > named.count ? " and \(holders.count - named.count) more" : ""
        return "No endpoint that has this model takes requests now: \(named.joined(separator: ", "))\(more)."
    }
}
