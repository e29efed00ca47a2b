import Hummingbird

/// Reads the body of a write.
enum RequestBytes {
    /// Throws 413 over `limit` bytes, 415 for another type than `application/json`, 400 for a body that breaks off.
    static func json(of request: Request, limit: Int) async throws -> [UInt8] {
        let bytes = try await bytes(of: request, limit: limit)
        try checkType(request)
        return bytes
    }

    /// The same, for a route whose body may be left out.
    static func optionalJSON(of request: Request, limit: Int) async throws -> [UInt8] {
        let bytes = try await bytes(of: request, limit: limit)
        if !bytes.isEmpty { try checkType(request) }
        return bytes
    }

    private static func checkType(_ request: Request) throws(HTTPFailure) {
        guard MediaType.isJSON(request.headers[.contentType]) else {
            throw HTTPFailure(
                .unsupportedMediaType, code: "unsupported_media_type", "The body must be sent as application/json.")
        }
    }

    private static func bytes(of request: Request, limit: Int) async throws -> [UInt8] {
        let tooLarge = HTTPFailure(
            .contentTooLarge, code: "body_too_large", "The body is larger than \(limit) bytes.")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit { throw tooLarge }
        do {
            return Array(buffer: try await request.body.collect(upTo: limit))
        } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
            throw tooLarge
        } catch {
            throw HTTPFailure.badRequest("invalid_body", "The body broke off or could not be read.")
        }
    }
}
