import Catalog
import FoundationEssentials
import Hummingbird

/// An answer that is an error, in the one shape that every error of every route has.
struct HTTPFailure: Error {
    var status: HTTPResponse.Status
    var error: APIError
    var headers: HTTPFields = [:]
}

extension HTTPFailure {
    init(
        _ status: HTTPResponse.Status, code: String, _ message: String, param: String? = nil,
        headers: HTTPFields = [:]
    ) {
        self.init(
            status: status,
            error: APIError(type: Self.type(of: status), code: code, message: message, param: param),
            headers: headers)
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

    /// Before the catalog has been complete once, no route reads it: an empty answer would be a lie.
    static func catalogNotReady(_ reason: String?) -> HTTPFailure {
        let why = reason.map { " (\($0))" } ?? ""
        return .unavailable(
            "catalog_not_ready", "The catalog is not complete yet\(why). Try again shortly.", retryAfter: 1)
    }

    /// The gateway stops. Another one may be asked at once.
    static let stopping = HTTPFailure.unavailable(
        "gateway_stopping", "This gateway is stopping. Send the request again; another one answers it.", retryAfter: 1)

    /// The `type` that goes with a status, by the contract's list.
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

    func response() throws -> Response {
        try Response.json(ErrorBody(error), status: status, headers: headers)
    }
}

/// `{"error":{"message","type","param","code"}}`; `param` is null where no one field is to blame.
struct ErrorBody: Encodable {
    struct Fields: Encodable {
        let error: APIError

        enum CodingKeys: String, CodingKey { case message, type, param, code }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(error.message, forKey: .message)
            try container.encode(error.type, forKey: .type)
            try container.encode(error.param, forKey: .param)
            try container.encode(error.code, forKey: .code)
        }
    }

    let error: Fields

    init(_ error: APIError) { self.error = Fields(error: error) }
}
