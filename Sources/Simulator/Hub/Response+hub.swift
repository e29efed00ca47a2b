import HTTPTypes
import NIOCore

extension HTTPField.Name {
    static let errorCode = HTTPField.Name("X-Error-Code")!
    static let errorMessage = HTTPField.Name("X-Error-Message")!
    static let repositoryCommit = HTTPField.Name("X-Repo-Commit")!
    static let linkedSize = HTTPField.Name("X-Linked-Size")!
    static let linkedETag = HTTPField.Name("X-Linked-Etag")!
    static let rateLimit = HTTPField.Name("RateLimit")!
    static let rateLimitPolicy = HTTPField.Name("RateLimit-Policy")!
}

/// The Hub's refusals, with the words and headers of the real one.
enum HubRefusal: Sendable, Hashable {
    /// The repository does not exist, or is private: without a token the Hub does not say which.
    case missingOrPrivate
    case repositoryNotFound
    case invalidToken
    case revisionNotFound(String)
    case entryNotFound
    /// A file of a gated repository, without a token or with one that was not let in.
    case gated(repository: String, hasToken: Bool)
    case notAnAddress

    var response: Response {
        switch self {
        case .missingOrPrivate:
            Self.json(
                .unauthorized, code: nil, "Invalid username or password.",
                [.wwwAuthenticate: #"Bearer realm="Authentication required", charset="UTF-8""#])
        case .invalidToken:
            Self.json(
                .unauthorized, code: nil, "Invalid credentials in Authorization header",
                [.wwwAuthenticate: #"Bearer realm="Authentication required""#])
        case .repositoryNotFound: Self.json(.notFound, code: "RepoNotFound", "Repository not found")
        case .revisionNotFound(let revision):
            Self.json(.notFound, code: "RevisionNotFound", "Invalid rev id: \(revision)")
        case .entryNotFound: Self.text(.notFound, code: "EntryNotFound", "Entry not found")
        case .gated(let repository, hasToken: false):
            Self.text(
                .unauthorized, code: "GatedRepo",
                "Access to model \(repository) is restricted. You must have access to it and be authenticated to "
                    + "access it. Please log in.")
        case .gated(let repository, hasToken: true):
            Self.text(
                .forbidden, code: "GatedRepo",
                "Access to model \(repository) is restricted and you are not in the authorized list. Visit "
                    + "https://huggingface.co/\(repository) to ask for access.")
        case .notAnAddress: Self.json(.notFound, code: nil, "Sorry, we can't find the page you are looking for.")
        }
    }

    private static func headers(_ type: String, code: String?, _ message: String) -> HTTPFields {
        var headers: HTTPFields = [.contentType: type]
        if let code { headers[.errorCode] = code }
        headers[.errorMessage] = message
        return headers
    }

    private static func json(
        _ status: HTTPResponse.Status, code: String?, _ message: String, _ more: HTTPFields = [:]
    ) -> Response {
        var headers = headers("application/json; charset=utf-8", code: code, message)
        headers.append(contentsOf: more)
        return Response(status: status, headers: headers, body: .init(byteBuffer: .hubError(message)))
    }

    private static func text(_ status: HTTPResponse.Status, code: String?, _ message: String) -> Response {
        Response(
            status: status, headers: headers("text/plain; charset=utf-8", code: code, message),
            body: .init(byteBuffer: ByteBuffer(string: message)))
    }
}

extension ByteBuffer {
    /// `{"error":"…"}`
    static func hubError(_ message: String) -> ByteBuffer { ByteBuffer(string: #"{"error":\#(quoted(message))}"#) }
}

extension Response {
    /// To the same thing at another place; `location` is relative where the Hub's is.
    static func hubRedirect(to location: String) -> Response {
        Response(
            status: .temporaryRedirect,
            headers: [.contentType: "text/plain; charset=utf-8", .location: location],
            body: .init(byteBuffer: ByteBuffer(string: "Temporary Redirect. Redirecting to \(location)")))
    }

    /// The answer of a limit that is used up. The Hub's own has no `Retry-After`.
    static func hubRateLimited(_ visit: Hub.Visit) -> Response {
        let seconds = visit.retryAfter ?? 55
        var headers: HTTPFields = [
            .contentType: "application/json; charset=utf-8", .rateLimit: #""api";r=0;t=\#(seconds)"#,
            .rateLimitPolicy: #""fixed window";"api";q=500;w=300"#,
        ]
        if visit.sendsRetryAfter { headers[.retryAfter] = String(seconds) }
        return Response(
            status: .tooManyRequests, headers: headers,
            body: .init(
                byteBuffer: .hubError(
                    "We had to rate limit your IP (203.0.113.7). To continue using our service, create a HF account or "
                        + "login to your existing account, and make sure you pass a HF_TOKEN if you're using the API."))
        )
    }

    static func hubUnavailable(_ visit: Hub.Visit) -> Response {
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8"]
        if let seconds = visit.retryAfter { headers[.retryAfter] = String(seconds) }
        return Response(
            status: .serviceUnavailable, headers: headers,
            body: .init(byteBuffer: ByteBuffer(string: "<!DOCTYPE html>\n<h1>503</h1>\n<p>Service Unavailable</p>\n")))
    }

    static var hubError: Response {
        Response(
            status: .internalServerError, headers: [.contentType: "text/html; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: "<!DOCTYPE html>\n<h1>500</h1>\n<p>Internal Error</p>\n")))
    }

    /// Every answer of the Hub says what is left of the limit of its area.
    mutating func addHubRateLimit(area: String, quota: Int, requests: Int) {
        guard headers[.rateLimit] == nil else { return }
        headers[.rateLimit] = #""\#(area)";r=\#(quota - 1 - requests % quota);t=295"#
        headers[.rateLimitPolicy] = #""fixed window";"\#(area)";q=\#(quota);w=300"#
    }
}
