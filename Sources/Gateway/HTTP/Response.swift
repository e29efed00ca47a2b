import HTTPTypes
import JSON
import NIOCore

/// An answer whose body is in memory.
///
/// `GatewayResponder` finishes each: it then has `X-Request-Id`, and `Content-Length` unless the status forbids one. The
/// body of an answer to HEAD is empty while its `Content-Length` is that of GET.
struct Response: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: ByteBuffer
    /// The connection ends after this answer, for example because the request's body was not read.
    var closesConnection = false

    init(status: HTTPResponse.Status, headers: HTTPFields = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// `json` as the body, as it is.
    init(json: ByteBuffer, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
        self.init(status: status, headers: headers, body: json)
        self.headers[.contentType] = "application/json"
    }

    init(json: [UInt8], status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
        self.init(json: ByteBuffer(bytes: json), status: status, headers: headers)
    }

    /// `value` as a JSON body, its keys sorted so that equal answers are equal bytes.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        Response(json: try JSONCoding.encode(value), status: status, headers: headers)
    }
}
