import Catalog
import HTTPTypes
import NIOCore

/// `GET /v1/models` and `GET /v1/models/{id}`: bytes that are held already, never encoded for a request.
struct ModelRoutes: Sendable {
    let catalog: any CatalogSource
    let lists: ModelListCache

    func list(_ call: RouteCall) throws(HTTPFailure) -> Response { try list(call.request, caller: call.caller) }

    /// The list; 304 if the client has it already.
    func list(_ request: Request, caller: Caller) throws(HTTPFailure) -> Response {
        let view = catalog.view
        var headers = try Self.catalogHeaders(view)
        let (etag, body) = lists.list(for: caller, in: view)
        headers.append(HTTPField(name: .eTag, value: etag))
        if let condition = request.headers[.ifNoneMatch], EntityTag.matches(etag, condition: condition) {
            return Response(status: .notModified, headers: headers)
        }
        return Response(json: body, headers: headers)
    }

    /// One entry, as it stands in the list.
    func entry(_ call: RouteCall) throws(HTTPFailure) -> Response {
        let view = catalog.view
        let headers = try Self.catalogHeaders(view)
        let id = ModelID(call["id"])
        guard call.caller.allows(model: id), let model = view.model(id) else {
            throw .unknownModel(id.value, for: call.caller, in: view, lists)
        }
        return Response(json: model.encoded, headers: headers)
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
