import Curl

/// One GET to an endpoint.
protocol EndpointTransport: Sendable {
    /// Follows no redirect. `key` is sent as `Authorization: Bearer`.
    func get(_ url: String, key: String?, timeout: Duration) async throws(PollError) -> EndpointAnswer
}

/// Over libcurl.
struct CurlTransport: EndpointTransport {
    /// A list of 10,000 models with a description each fits; a server that streams without end does not hurt.
    static let maximumBodyBytes = 8 << 20

    let client: HTTPClient

    func get(_ url: String, key: String?, timeout: Duration) async throws(PollError) -> EndpointAnswer {
        var request = HTTPRequest(url: url)
        request.headers = [("Accept", "application/json")]
        if let key { request.headers.append(("Authorization", "Bearer \(key)")) }
        request.connectTimeout = timeout
        request.totalTimeout = timeout
        request.maximumBodyBytes = Self.maximumBodyBytes
        do {
            let response = try await client.execute(request)
            return EndpointAnswer(
                status: response.status, body: response.body,
                isFromGateway: response.header("X-Catalog-Version") != nil)
        } catch {
            if error.code == .truncated { throw PollError(.truncated, "the connection was closed in mid-answer") }
            if error.code == .invalidURL { throw PollError(.invalidURL, error.message) }
            throw PollError(.transport(error.code.description), error.message)
        }
    }
}
