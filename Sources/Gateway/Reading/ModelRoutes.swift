import Catalog
import HTTPTypes
import Hummingbird
import Synchronization

/// `GET /v1/models` and `GET /v1/models/{id}`: bytes that are held already, never encoded for a request.
final class ModelRoutes: Sendable {
    /// The longest that `wait` may ask for.
    static let longestWait = Duration.seconds(30)

    private let catalog: any CatalogSource
    /// The list last answered with, as the buffer that the network takes; replaced when the list has another ETag.
    private let held = Mutex<(etag: String, body: ByteBuffer)?>(nil)

    /// What callers with patterns see.
    private let views = ModelListViews()

    init(catalog: any CatalogSource) { self.catalog = catalog }

    /// The list; 304 where the client has it already.
    func list(_ request: Request, caller: Caller) async throws(HTTPFailure) -> Response {
        try await waitIfAsked(request)
        // The version is read before the list: the list is of that version or a newer one, never of an older one.
        var headers = try catalogHeaders()
        let (etag, body) = list(for: caller)
        headers.append(HTTPField(name: .eTag, value: etag))
        if let condition = request.headers[.ifNoneMatch], EntityTag.matches(etag, condition: condition) {
            return Response(status: .notModified, headers: headers)
        }
        headers.append(HTTPField(name: .contentType, value: "application/json"))
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// One entry, as it stands in the list.
    func entry(_ id: String, _ request: Request, caller: Caller) async throws(HTTPFailure) -> Response {
        try await waitIfAsked(request)
        var headers = try catalogHeaders()
        let id = ModelID(id)
        guard caller.allows(model: id), let bytes = catalog.read({ $0.modelEntry(id) }) else {
            throw .notFound(
                "model_not_found", "No endpoint that is online has a model with this id; GET /v1/models lists all.")
        }
        headers.append(HTTPField(name: .contentType, value: "application/json"))
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The ETag of the list that `caller` would get now.
    func etag(for caller: Caller) -> String {
        caller.models.map { views.view(of: $0, in: catalog).etag } ?? catalog.modelList.etag
    }

    private func list(for caller: Caller) -> (etag: String, body: ByteBuffer) {
        guard let patterns = caller.models else {
            let list = catalog.modelList
            return (list.etag, buffer(of: list))
        }
        let view = views.view(of: patterns, in: catalog)
        return (view.etag, view.body)
    }

    private func buffer(of list: ModelList) -> ByteBuffer {
        held.withLock { held in
            if let held, held.etag == list.etag { return held.body }
            let body = ByteBuffer(bytes: list.bytes)
            held = (list.etag, body)
            return body
        }
    }

    /// `X-Catalog-Version` and `X-Catalog-Age` (whole seconds). Throws 503 before the catalog is complete.
    private func catalogHeaders() throws(HTTPFailure) -> HTTPFields {
        let readiness = catalog.readiness
        guard readiness.isReady, let version = catalog.read({ $0.version }) else {
            throw .catalogNotReady(readiness.reason)
        }
        var headers = HTTPFields()
        headers.reserveCapacity(8)
        headers.append(HTTPField(name: .catalogVersion, value: version.description))
        if let age = catalog.age {
            headers.append(HTTPField(name: .catalogAge, value: String(age.components.seconds)))
        }
        return headers
    }

    /// `?min_version=V&wait=2s`. Without `wait` it does not wait. Throws 400, or 504 `version_not_reached`.
    ///
    /// A version of an incarnation lower than the one held counts as reached: that log is gone for good.
    private func waitIfAsked(_ request: Request) async throws(HTTPFailure) {
        guard let text = request.uri.query else { return }
        let query = try Query(text)
        let wait = try query.first("wait").map(Self.duration) ?? .zero
        guard let wanted = query.first("min_version") else { return }
        guard let version = CatalogVersion(wanted) else {
            throw .badRequest(
                "invalid_version", "min_version is not a version as X-Catalog-Version gives it, such as 1-4711.",
                param: "min_version")
        }
        try catalog.checkReady()
        if let held = catalog.read({ $0.version }), held >= version { return }
        let reached = await catalog.wait(timeout: wait) { catalog in
            catalog.version.flatMap { $0 >= version ? true : nil }
        }
        if reached == nil {
            throw HTTPFailure(
                .gatewayTimeout, code: "version_not_reached",
                "This gateway has not applied that version within the time given in wait.", param: "min_version",
                headers: [.retryAfter: "1"])
        }
    }

    /// `<whole number>` of `ms` or `s`, at most `longestWait`.
    private static func duration(_ text: String) throws(HTTPFailure) -> Duration {
        let isMilliseconds = text.hasSuffix("ms")
        let digits = text.dropLast(isMilliseconds ? 2 : 1)
        guard
            isMilliseconds || text.hasSuffix("s"), digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
            let number = Int64(digits), number <= 30_000
        else {
            throw invalidWait
        }
        let duration: Duration = isMilliseconds ? .milliseconds(number) : .seconds(number)
        guard duration <= longestWait else { throw invalidWait }
        return duration
    }

    private static var invalidWait: HTTPFailure {
        .badRequest(
            "invalid_wait", "wait is a whole number of s or ms, such as 2s or 500ms, and at most 30s.", param: "wait")
    }
}
