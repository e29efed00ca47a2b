import Catalog
import Curl
import Hummingbird
import Logging

/// An endpoint's answer on its way to the client: each piece as it comes, and the next only once the client has taken
/// the one before. Holds the request's place until the end.
struct AnswerRelay: Sendable {
    let stream: HTTPResponseStream
    let place: Place
    let sent: ContinuousClock.Instant
    let dispatcher: Dispatcher
    /// Kept alive, so that the client's going away ends the answer.
    let session: InferenceSession
    let logger: Logger

    /// The body where all of it is there already: then it goes out in one piece with the head.
    func whole() -> ResponseBody? {
        guard let bytes = stream.takeRest() else { return nil }
        observe()
        place.release()
        return ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
    }

    /// Throws where the endpoint breaks off, or the gateway has to: the connection is then closed without the end of the body, so that nobody
    /// takes half an answer for a whole one.
    func write(to writer: inout any ResponseBodyWriter) async throws {
        defer { place.release() }
        var iterator = stream.makeAsyncIterator()
        var isFirst = true
        do {
            while let piece = try await iterator.next() {
                if isFirst { observe() }
                isFirst = false
                try await writer.write(ByteBuffer(bytes: piece))
            }
            if isFirst { observe() }
        } catch let error as Curl.HTTPError where error.code == .cancelled && session.end == .stopping {
            if sendsEvents { try await writer.write(ByteBuffer(string: Self.event(for: HTTPFailure.stopping.error))) }
            throw error
        } catch let error as Curl.HTTPError where error.code != .cancelled {
            logger.warning(
                "An endpoint broke off its answer",
                metadata: [LogKey.endpoint: "\(place.target.endpoint.name)", LogKey.error: "\(error)"])
            if sendsEvents { try await writer.write(ByteBuffer(string: Self.event(for: Self.failure(error)))) }
            throw error
        }
        try await writer.finish(nil)
        _ = session
    }

    /// Only what worked: an endpoint that fails fast is not a fast one.
    private func observe() {
        guard (200..<300).contains(stream.status) else { return }
        dispatcher.observe(place.target.endpoint.id, firstByte: .now - sent)
    }

    private var sendsEvents: Bool {
        let type = stream.header("content-type")?.lowercased() ?? ""
        return type.hasPrefix("text/event-stream") && stream.header("content-encoding") == nil
    }

    private static func failure(_ error: Curl.HTTPError) -> APIError {
        error.code == .timeout
            ? APIError(
                type: "upstream_error", code: "upstream_timeout", message: "The endpoint stopped answering.")
            : APIError(
                type: "upstream_error", code: "upstream_broken", message: "The endpoint broke off its answer.")
    }

    /// The empty line in front ends an event that was cut. Texts of ours only: nothing in them needs an escape.
    private static func event(for error: APIError) -> String {
        let (type, code, message) = (error.type, error.code, error.message)
        return
            "\n\ndata: {\"error\":{\"message\":\"\(message)\",\"type\":\"\(type)\",\"param\":null,\"code\":\"\(code)\"}}\n\n"
    }
}
