import Catalog
import HTTPTypes
import JSON
import NIOCore

/// An answer that is an error, in the one shape that every error of every route has.
struct HTTPFailure: Error {
    var status: HTTPResponse.Status
    var error: APIError
    var headers: HTTPFields = [:]
    /// The connection ends after this answer, because what follows on it cannot be read or is not wanted.
    var closesConnection = false
}

extension HTTPFailure {
    init(
        _ status: HTTPResponse.Status, code: String, _ message: String, param: String? = nil,
        headers: HTTPFields = [:], closesConnection: Bool = false
    ) {
        self.init(
            status: status,
            error: APIError(type: Self.type(of: status), code: code, message: message, param: param),
            headers: headers, closesConnection: closesConnection)
    }

    static func badRequest(_ code: String, _ message: String, param: String? = nil) -> HTTPFailure {
        HTTPFailure(.badRequest, code: code, message, param: param)
    }

    static func notFound(_ code: String, _ message: String) -> HTTPFailure {
        HTTPFailure(.notFound, code: code, message)
    }

    /// 503 with `Retry-After` in seconds.
    static func unavailable(_ code: String, _ message: String, retryAfter: Int) -> HTTPFailure {
        HTTPFailure(.serviceUnavailable, code: code, message, headers: [.retryAfter: "\(retryAfter)"])
    }

    /// 413. The rest of the body is not read, so the connection ends.
    static func bodyTooLarge(limit: Int) -> HTTPFailure {
        HTTPFailure(
            .contentTooLarge, code: "body_too_large",
            "The body is larger than the \(limit) bytes that this route takes.", closesConnection: true)
    }

    /// Before the catalog has been complete once, no route reads it: an empty answer would be a lie.
    static func catalogNotReady(_ reason: String?) -> HTTPFailure {
        let why = reason.map { " (\($0))" } ?? ""
        return .unavailable(
            "catalog_not_ready", "The catalog is not complete yet\(why). Try again shortly.", retryAfter: 1)
    }

    /// The gateway stops. Another one may be asked at once.
    static let stopping = HTTPFailure.unavailable(
        "gateway_stopping", "This gateway is stopping. Send the request again; another one answers it.", retryAfter: 1)

    /// The `type` that goes with a status, by the contract's list. A 504 of the gateway's own is `service_unavailable`;
    /// if an endpoint is to blame, whoever makes the failure says `upstream_error`.
    static func type(of status: HTTPResponse.Status) -> String {
        switch status.code {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 409: "conflict_error"
        case 429: "rate_limit_error"
        case 502: "upstream_error"
        case 500...: "service_unavailable"
        default: "invalid_request_error"
        }
    }

    func response(as shape: ErrorBody.Shape) -> Response {
        var response = Response(json: ErrorBody(error).encoded(as: shape), status: status, headers: headers)
        response.closesConnection = closesConnection
        return response
    }
}

/// `{"error":{"code","message","param","type"}}`; `param` is null if no one field is to blame.
struct ErrorBody {
    enum Shape {
        case openAI
        /// On `/v1/messages` and below it, and for every request with an `anthropic-version`, `"type":"error"` stands beside
        /// `error`: Anthropic's clients look for it.
        case anthropic
        /// Below `/api/` `error` is the message itself: Ollama's clients show whatever stands there, an object as
        /// `[object Object]` or as its source. `code` stands beside it. Other products have OpenAI's routes below `/api/`
        /// and `/api/v1/`, and a client that has such a base URL reads OpenAI's shape.
        case ollama

        /// Whose clients read the error.
        init(for request: Request) {
            if Self.isOllamas(request.path) {
                self = .ollama
            } else {
                let isAnthropic = request.headers[.anthropicVersion] != nil || Self.isMessages(request.path)
                self = isAnthropic ? .anthropic : .openAI
            }
        }

        /// Whether a path is below Ollama's base URL.
        static func isOllamas(_ path: String) -> Bool {
            guard path.utf8.starts(with: "/api/".utf8) else { return false }
            let segments = path.split(separator: "/").dropFirst()
            let isOpenAIs =
                segments.first?.wholeMatch(of: #/v\d[a-z0-9]*|openai|models|responses|completions/#) != nil
                || segments.last == "completions"
            return !isOpenAIs
        }

        private static func isMessages(_ path: String) -> Bool {
            guard path.utf8.starts(with: "/v1/messages".utf8) else { return false }
            let next = path.utf8.dropFirst("/v1/messages".utf8.count).first
            return next == nil || next == UInt8(ascii: "/")
        }
    }

    let error: APIError

    init(_ error: APIError) { self.error = error }

    func encoded(as shape: Shape) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            switch shape {
            case .openAI: write(into: &writer)
            case .anthropic:
                write(into: &writer)
                writer.field("type", "error")
            case .ollama:
                writer.field("error", error.message)
                writer.field("code", error.code)
            }
        }
        return writer.bytes
    }

    /// The field `error` of an object that is being written.
    func write(into writer: inout JSONWriter) {
        writer.field("error", object: error) { writer, error in
            writer.field("code", error.code)
            writer.field("message", error.message)
            writer.field("param", error.param)
            writer.field("type", error.type)
        }
    }
}
