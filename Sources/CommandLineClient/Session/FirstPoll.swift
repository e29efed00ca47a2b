import Conventions
import Curl
import JSON

/// Waits for the outcome of an endpoint's first poll, and says what can be done about one that failed.
struct FirstPoll: Sendable {
    let session: Session

    private static let pause = Duration.milliseconds(250)

    /// The endpoint's record after the poll.
    ///
    /// - Parameter path: of the endpoint
    func finish(_ path: String, from first: HTTPResponse) async throws -> HTTPResponse {
        var response = first
        while JSONValue(response.body)?["state"].string == "pending" {
            guard session.time.left > Self.pause else {
                throw CommandFailure(
                    .tryAgain,
                    "the endpoint was added, and was not polled within \(session.time.limit.components.seconds) s",
                    code: "still_pending", hint: "Is a poller running? rollcall endpoints list shows what became of it."
                )
            }
            try await session.time.pause(Self.pause)
            response = try await session.settled(path)
        }
        return response
    }

    /// Throws if the poll failed.
    static func check(_ endpoint: JSONValue) throws {
        let state = endpoint["state"].string
        guard let state, state != "online" else { return }
        let name = HumanText.clean(endpoint["name"].string ?? "the endpoint")
        let error = endpoint["last_error"]
        let advice = error["code"].string.flatMap { PollAdvice.text(for: $0, endpoint: name) }
        throw CommandFailure(
            .failure, "\(name) was added, and is not online: \(EndpointText.error(error) ?? state)",
            hint: (advice.map { "To do: \($0). " } ?? "")
                + "It is polled again and again. To change its address: rollcall endpoints update \(name) --base-url URL. "
                + "To remove it: rollcall endpoints remove \(name)")
    }
}
