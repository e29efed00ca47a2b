import Hummingbird

/// Takes in the body of a request, within bounds of size and time, and finds the model in it.
struct InferenceBodyReader: Sendable {
    let limits: InferenceLimits

    /// From here on a body that announces its length is believed, and gets its memory in one go.
    private static let believed = 1 << 20

    /// Throws 413, 408, 415, and 400 for what cannot be read or names no model.
    func read(_ request: Request, for path: InferencePath) async throws -> InferenceBody {
        let contentType = request.headers[.contentType] ?? ""
        let isForm = MediaType.isForm(contentType)
        guard MediaType.isJSON(contentType) || (isForm && path.takesForms) else {
            throw HTTPFailure(
                .unsupportedMediaType, code: "unsupported_media_type",
                path.takesForms
                    ? "The body must be sent as application/json or multipart/form-data."
                    : "The body must be sent as application/json.")
        }
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw HTTPFailure(
                .unsupportedMediaType, code: "unsupported_content_encoding",
                "The body must be sent without a Content-Encoding.")
        }
        let bytes = try await bytes(of: request)
        guard isForm else { return try InferenceBody(json: bytes) }
        guard let boundary = MultipartScanner.boundary(of: contentType) else {
            throw HTTPFailure.badRequest("invalid_form", "Content-Type names no valid boundary.")
        }
        return try InferenceBody(form: bytes, boundary: boundary)
    }

    private func bytes(of request: Request) async throws -> ByteBuffer {
        let announced = request.headers[.contentLength].flatMap { Int($0) }
        if let announced, announced > limits.bodyBytes { throw tooLarge }
        let deadline = ContinuousClock.now + limits.body
        var bytes = ByteBuffer()
        do {
            for try await piece in request.body {
                guard piece.readableBytes <= limits.bodyBytes - bytes.readableBytes else { throw tooLarge }
                guard ContinuousClock.now < deadline else { throw tooSlow }
                append(piece, to: &bytes, announced: announced)
            }
        } catch let failure as HTTPFailure {
            throw failure
        } catch {
            throw HTTPFailure.badRequest("invalid_body", "The body broke off or could not be read.")
        }
        if let announced, bytes.readableBytes != announced {
            throw HTTPFailure.badRequest("invalid_body", "The body is not as long as Content-Length says.")
        }
        return bytes
    }

    private func append(_ piece: ByteBuffer, to bytes: inout ByteBuffer, announced: Int?) {
        guard bytes.readableBytes > 0 else {
            // The only piece of most bodies: as it is, not copied.
            bytes = piece
            return
        }
        if let announced, bytes.readableBytes >= Self.believed, bytes.capacity < announced {
            bytes.reserveCapacity(announced)
        }
        bytes.writeImmutableBuffer(piece)
    }

    private var tooLarge: HTTPFailure {
        HTTPFailure(
            .contentTooLarge, code: "body_too_large", "The body is larger than \(limits.bodyBytes) bytes.",
            headers: [.connection: "close"])
    }

    private var tooSlow: HTTPFailure {
        HTTPFailure(
            .requestTimeout, code: "request_timeout", "The body took too long to arrive.",
            headers: [.connection: "close"])
    }
}
