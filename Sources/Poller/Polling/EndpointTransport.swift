import Catalog
import Curl

/// One request to an endpoint.
struct EndpointRequest: Sendable, Hashable {
    var url: String
    /// The endpoint's own. nil if it has none.
    var key: String?
    /// Anthropic's API: the key goes in `x-api-key`, and the request names a version.
    var isAnthropic = false
    /// JSON, for a POST. nil: a GET.
    var body: [UInt8]?
}

protocol EndpointTransport: Sendable {
    typealias Completion = @Sendable (Result<EndpointAnswer, PollError>) -> Void

    /// Follows no redirect. Calls `completion` once, on any thread; it must not wait.
    func send(_ request: EndpointRequest, timeout: Duration, _ completion: @escaping Completion)
}

extension EndpointTransport {
    func send(_ request: EndpointRequest, timeout: Duration) async throws(PollError) -> EndpointAnswer {
        try await withCheckedContinuation { continuation in
            send(request, timeout: timeout) { continuation.resume(returning: $0) }
        }.get()
    }
}

/// Over libcurl.
struct CurlTransport: EndpointTransport {
    /// A list of 10,000 models with a description each fits; a server that streams without end does not hurt.
    static let maximumBodyBytes = 8 << 20

    let client: HTTPClient

    func send(_ asked: EndpointRequest, timeout: Duration, _ completion: @escaping Completion) {
        var request = HTTPRequest(url: asked.url)
        request.headers = [("Accept", "application/json")]
        if asked.isAnthropic { request.headers.append(("Anthropic-Version", EndpointKind.anthropicVersion)) }
        if let key = asked.key {
            request.headers.append(asked.isAnthropic ? ("X-Api-Key", key) : ("Authorization", "Bearer \(key)"))
        }
        if let body = asked.body {
            request.method = "POST"
            request.headers.append(("Content-Type", "application/json"))
            request.body = .bytes(body)
        }
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
