import Curl

/// One GET to an endpoint.
protocol EndpointTransport: Sendable {
    typealias Completion = @Sendable (Result<EndpointAnswer, PollError>) -> Void

    /// Follows no redirect. `key` is sent as `Authorization: Bearer`. Calls `completion` once, on any thread; it must not
    /// wait.
    func get(_ url: String, key: String?, timeout: Duration, _ completion: @escaping Completion)
}

extension EndpointTransport {
    func get(_ url: String, key: String?, timeout: Duration) async throws(PollError) -> EndpointAnswer {
        try await withCheckedContinuation { continuation in
            get(url, key: key, timeout: timeout) { continuation.resume(returning: $0) }
        }.get()
    }
}

/// Over libcurl.
struct CurlTransport: EndpointTransport {
    /// A list of 10,000 models with a description each fits; a server that streams without end does not hurt.
    static let maximumBodyBytes = 8 << 20

    let client: HTTPClient

    func get(_ url: String, key: String?, timeout: Duration, _ completion: @escaping Completion) {
        var request = HTTPRequest(url: url)
        request.headers = [("Accept", "application/json")]
        if let key { request.headers.append(("Authorization", "Bearer \(key)")) }
        request.connectTimeout = timeout
        request.totalTimeout = timeout
        request.maximumBodyBytes = Self.maximumBodyBytes
        client.start(request) { result in
            completion(
                result.map { response in
                    EndpointAnswer(
                        status: response.status, body: response.body,
                        isFromGateway: response.header("X-Catalog-Version") != nil)
                }.mapError(Self.problem))
        }
    }

    private static func problem(_ error: HTTPError) -> PollError {
        switch error.code {
        case .truncated: PollError(.truncated, "the connection was closed in mid-answer")
        case .invalidURL: PollError(.invalidURL, error.message)
        default: PollError(.transport(error.code.description), error.message)
        }
    }
}
