import Curl
import JSON

/// Follows a write that the gateway has only accepted, until it is done.
struct OperationWatch: Sendable {
    let session: Session

    private static let firstPause = Duration.milliseconds(250)
    private static let longestPause = Duration.seconds(2)
    /// So long another gateway may not have heard of an operation yet.
    private static let grace = Duration.seconds(10)

    /// The operation once it has succeeded.
    ///
    /// Throws what it failed with, or `.tryAgain` where it is pending when the time is over.
    func finish(_ id: String) async throws -> HTTPResponse {
        let hint = "The operation goes on. To watch it: rollcall operations watch \(id)"
        session.interruption.setHint(hint)
        defer { session.interruption.setHint(nil) }
        let path = "/v0/operations/\(try PathText.encode(id))"
        let start = session.time.elapsed()
        var pause = Self.firstPause
        var step: String?
        var hasAnswered = false
        var lastFailure: CommandFailure?
        while true {
            do {
                let response = try await session.client.get(path)
                hasAnswered = true
                let operation = JSONValue(response.body) ?? .null
                if try Self.isFinished(operation) { return response }
                if let now = operation["step"].string, now != step {
                    step = now
                    session.console.progress(now)
                }
            } catch let failure as CommandFailure {
                let isYoung = session.time.elapsed() - start < Self.grace
                switch failure.status {
                case .notFound where isYoung && !hasAnswered, .unreachable where hasAnswered: break
                case .tryAgain where failure.code != "command_expired": break
                default: throw failure
                }
                lastFailure = failure
            }
            guard pause < session.time.left else {
                if let lastFailure, !hasAnswered { throw lastFailure }
                throw CommandFailure(
                    .tryAgain, "not done within \(session.time.limit.components.seconds) s", code: "still_pending",
                    hint: hint)
            }
            try await session.time.pause(pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Throws where it has failed or expired.
    private static func isFinished(_ operation: JSONValue) throws -> Bool {
        let error = operation["error"]
        switch operation["state"].string {
        case "succeeded": return true
        case "failed":
            throw CommandFailure(
                error: error, status: ExitReason(errorType: error["type"].string ?? ""),
                otherwise: "the operation failed")
        case "expired":
            throw CommandFailure(
                .tryAgain, error["message"].string ?? "it was not done in time and will not be; send it again",
                code: "command_expired")
        default: return false
        }
    }
}
