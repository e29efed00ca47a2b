import HTTPTypes
import NIOCore

/// The JSON body of a write.
enum RequestBody {
    /// Throws 413 over `limit` bytes, and 415 for another type than `application/json`.
    static func json(of request: Request, limit: Int) throws(HTTPFailure) -> [UInt8] {
        try checkLength(of: request, limit: limit)
        guard MediaType.isJSON(request.headers[.contentType]) else {
            throw HTTPFailure(
                .unsupportedMediaType, code: "unsupported_media_type",
                "Send the body as JSON, with Content-Type: application/json.")
        }
        return Array(request.body.readableBytesView)
    }

    /// The same for a route whose body may be left out, and then needs no type.
    static func optionalJSON(of request: Request, limit: Int) throws(HTTPFailure) -> [UInt8] {
        try checkLength(of: request, limit: limit)
        return request.body.readableBytes == 0 ? [] : try json(of: request, limit: limit)
    }

    /// Also before the body is read: its announced length is enough to refuse it.
    static func checkLength(of request: Request, limit: Int) throws(HTTPFailure) {
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        if max(announced, request.body.readableBytes) > limit { throw .bodyTooLarge(limit: limit) }
    }
}
