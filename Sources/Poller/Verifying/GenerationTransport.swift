import Catalog
import Curl

/// One POST to an endpoint.
protocol GenerationTransport: Sendable {
    /// Follows no redirect. `body` is JSON; `key` is sent as `Authorization: Bearer`.
    func post(_ url: String, body: [UInt8], key: String?, timeout: Duration) async throws(HTTPError) -> EndpointAnswer
}

extension CurlTransport: GenerationTransport {
    /// Two tokens and all that is said about them.
    private static let maximumGenerationBytes = 1_000_000

    func post(
        _ url: String, body: [UInt8], key: String?, timeout: Duration
    ) async throws(HTTPError) -> EndpointAnswer {
        var request = HTTPRequest(url: url)
        request.method = "POST"
        request.headers = [("Accept", "application/json"), ("Content-Type", "application/json")]
        if let key { request.headers.append(("Authorization", "Bearer \(key)")) }
        if let trace = TraceContext.current { request.headers += trace.headers }
        request.body = .bytes(body)
        request.connectTimeout = timeout
        request.totalTimeout = timeout
        request.maximumBodyBytes = Self.maximumGenerationBytes
        let response = try await client.execute(request)
        return EndpointAnswer(status: response.status, body: response.body)
    }
}
