import Catalog
import HTTPTypes
import JSON

/// What Ollama's clients read, from the catalog, and what they cannot have.
struct OllamaRoutes: Sendable {
    let catalog: any CatalogSource
    let lists: ModelListCache
    let limits: GatewayLimits

    /// The version of Ollama whose API these routes follow. Some clients refuse a server that is older than they need.
    private static let version = "0.12.3"

    func version() -> Response { Response(json: Array(#"{"version":"\#(Self.version)"}"#.utf8)) }

    /// The models that `/api/chat` and its siblings can serve: a client offers all of this list to its user. Models of
    /// other kinds of endpoints are in `GET /v1/models`.
    func tags(_ call: RouteCall) throws(HTTPFailure) -> Response {
        try list(call, where: { _ in true }, write: { $0.write(into: &$1) })
    }

    /// The models that an endpoint has in memory.
    func loaded(_ call: RouteCall) throws(HTTPFailure) -> Response {
        try list(call, where: \.isLoaded, write: { $0.writeLoaded(into: &$1) })
    }

    private func list(
        _ call: RouteCall, where isListed: (OllamaModel) -> Bool,
        write: (OllamaModel, inout JSONWriter) -> Void
    ) throws(HTTPFailure) -> Response {
        // A poller knows by these fields that an endpoint is a gateway, and lists none of its models.
        let view = catalog.view
        let headers = try ModelRoutes.catalogHeaders(view)
        let models = OllamaModel.served(in: catalog) { call.caller.usableName($0.value, in: view) != nil }
            .filter(isListed)
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("models", objects: models) { write($1, &$0) }
        }
        return Response(json: writer.bytes, headers: headers)
    }

    func show(_ call: RouteCall) throws -> Response {
        let view = catalog.view
        try view.checkReady()
        let bytes = try RequestBody.json(of: call.request, limit: limits.bodyBytes)
        let asked = try OllamaShowBody.model(in: bytes)
        func unknown() -> HTTPFailure { .unknownModel(asked, for: call.caller, in: view, lists) }
        guard let name = OllamaModelName.usable(asked, by: call.caller, in: view) else { throw unknown() }
        let targets = try ModelResolver.targets(
            for: RequestedModel(name, kind: .ollama), in: view, instead: "/v1/chat/completions", unknown: unknown())
        guard let id = targets.first?.model,
            let model = OllamaModel.served(in: catalog, where: { $0 == id }).first
        else { throw unknown() }
        var writer = JSONWriter()
        writer.object { model.writeWhole(into: &$0) }
        return Response(json: writer.bytes)
    }

    /// What changes the models of an Ollama server.
    func refuseChange(_ call: RouteCall) throws(HTTPFailure) -> Response {
        throw HTTPFailure(
            .notImplemented, code: "models_are_managed_by_nodes",
            "Rollcall has no pull API: each server manages its own models. Run `ollama pull`, `ollama create`, or "
                + "`ollama rm` on that server, and the model is listed here, or gone, after the next poll.")
    }
}
