import Catalog
import HTTPTypes
import NIOCore

/// `GET /v1/models` and `GET /v1/models/{id}`: the bytes that are held already, or for Anthropic's clients a page of the
/// same models in their shape.
struct ModelRoutes: Sendable {
    let catalog: any CatalogSource
    let lists: ModelListCache

    func list(_ call: RouteCall) throws(HTTPFailure) -> Response {
        guard AnthropicModels.isWanted(by: call.request) else { return try list(call.request, caller: call.caller) }
        let view = catalog.view
        let headers = try Self.catalogHeaders(view)
        let query = try AnthropicModels.PageQuery(Query(call.request.query))
        let page = lists.models(for: call.caller, in: view).page(query.place, limit: query.limit)
        return Self.tagged(AnthropicModels.encoded(page), headers, for: call.request)
    }

    /// The list; 304 if the client has it already.
    func list(_ request: Request, caller: Caller) throws(HTTPFailure) -> Response {
        let view = catalog.view
        let headers = try Self.catalogHeaders(view)
        let (etag, body) = lists.list(for: caller, in: view)
        return Self.answer(body, etag, headers, for: request)
    }

    /// One entry, as it stands in the list.
    func entry(_ call: RouteCall) throws(HTTPFailure) -> Response {
        let view = catalog.view
        let headers = try Self.catalogHeaders(view)
        let id = ModelID(call["id"])
        guard let name = call.caller.usableName(id.value, in: view), let model = view.model(ModelID(name)) else {
            throw .unknownModel(id.value, for: call.caller, in: view, lists)
        }
        let isAnthropic = AnthropicModels.isWanted(by: call.request)
        return Self.tagged(isAnthropic ? AnthropicModels.encoded(model) : model.encoded, headers, for: call.request)
    }

    private static func tagged(_ bytes: [UInt8], _ headers: HTTPFields, for request: Request) -> Response {
        answer(ByteBuffer(bytes: bytes), ModelList.etag(of: bytes), headers, for: request)
    }

    /// `Vary` says that each URL has two shapes.
    private static func answer(
        _ body: ByteBuffer, _ etag: String, _ headers: HTTPFields, for request: Request
    ) -> Response {
        var headers = headers
        headers.append(HTTPField(name: .vary, value: HTTPField.Name.anthropicVersion.rawName))
        headers.append(HTTPField(name: .eTag, value: etag))
        if let condition = request.headers[.ifNoneMatch], EntityTag.matches(etag, condition: condition) {
            return Response(status: .notModified, headers: headers)
        }
        return Response(json: body, headers: headers)
    }

    /// `X-Catalog-Version` and `X-Catalog-Age` (whole seconds). Throws 503 before the catalog is complete.
    static func catalogHeaders(_ view: CatalogView) throws(HTTPFailure) -> HTTPFields {
        guard view.readiness.isReady, let version = view.version else {
            throw .catalogNotReady(view.readiness.reason)
        }
        var headers = HTTPFields()
        headers.reserveCapacity(12)
        headers.append(HTTPField(name: .catalogVersion, value: version.description))
        if let age = view.age(at: .now) {
            headers.append(HTTPField(name: .catalogAge, value: String(age.components.seconds)))
        }
        return headers
    }
}
