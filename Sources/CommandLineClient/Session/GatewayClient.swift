import Conventions
import Curl
import JSON

/// Requests to one gateway. Answers other than 2xx are thrown as `CommandFailure`.
struct GatewayClient: Sendable {
    let http: HTTPClient
    /// Without a slash at its end.
    let url: String
    let apiKey: String?
    let time: Timekeeper
    let console: Console

    /// How often a write is sent at most.
    static let attempts = 5
    private static let longestPause = Duration.seconds(30)
    /// Where an answer does not say how long to wait.
    private static let usualPause = Duration.seconds(2)

    func get(_ path: String) async throws -> HTTPResponse {
        try Self.checked(try await answer(path))
    }

    /// Also where the status is not 2xx.
    func answer(_ path: String) async throws -> HTTPResponse {
        do {
            return try await exchange("GET", path, body: nil, headers: [])
        } catch {
            throw CommandFailure(error, url: url)
        }
    }

    /// Sends a write, and sends it again with the same key while it is not known whether it was done.
    ///
    /// Once one try has ended without an answer, the write may have been done. From then on every failure is `.tryAgain`
    /// and tells the key, unless a gateway answers what became of the write.
    func write(
        _ method: String, _ path: String, body: JSONValue?, key: String, prefersAsync: Bool = false
    ) async throws -> HTTPResponse {
        // A gateway without keys wants the type on every write, so that no web page can make one.
        var headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)]
        if prefersAsync { headers.append(("Prefer", "respond-async")) }
        let bytes = body?.bytes
        var attempt = 1
        var mayBeDone = false
        while true {
            let failure: CommandFailure
            let finding: WriteFinding
            var pause = Self.usualPause
            do {
                let response = try await exchange(method, path, body: bytes, headers: headers)
                let found = WriteFinding(response)
                guard found != .settled else { return try Self.checked(response) }
                pause = Self.retryAfter(response) ?? pause
                (finding, failure) = (found, CommandFailure(answer: response))
            } catch let error as HTTPError {
                (finding, failure) = (WriteFinding(error), CommandFailure(error, url: url))
            }
            mayBeDone = mayBeDone || finding == .mayBeDone
            guard finding.isRetried(mayBeDone: mayBeDone), attempt < Self.attempts, pause < time.left else {
                throw mayBeDone ? Self.givenUp(failure, key: key) : failure
            }
            attempt += 1
            console.note(
                "\(HumanText.clean(failure.code ?? "no answer of a gateway")): sending it again with the same "
                    + "Idempotency-Key in \(pause.components.seconds) s (attempt \(attempt) of \(Self.attempts))")
            try await time.pause(pause)
        }
    }

    /// A request whose answer comes piece by piece. It is sent once: nobody knows whether a model has worked on it.
    ///
    /// - Parameter patience: how long nothing may come, before the first piece and between two
    func stream(_ path: String, body: JSONValue, patience: Duration) async throws -> HTTPResponseStream {
        let headers = [("Content-Type", "application/json")]
        var request = request("POST", path, body: body.bytes, headers: headers, accepts: "text/event-stream")
        request.totalTimeout = nil
        request.firstByteTimeout = patience
        request.idleTimeout = patience
        request.maximumBodyBytes = .max
        do {
            return try await http.stream(request)
        } catch {
            throw CommandFailure(error, url: url)
        }
    }

    private func exchange(
        _ method: String, _ path: String, body: [UInt8]?, headers: [(String, String)]
    ) async throws(HTTPError) -> HTTPResponse {
        var request = request(method, path, body: body, headers: headers)
        request.totalTimeout = max(.milliseconds(1), time.left)
        return try await http.execute(request)
    }

    private func request(
        _ method: String, _ path: String, body: [UInt8]?, headers: [(String, String)],
        accepts type: String = "application/json"
    ) -> HTTPRequest {
        var request = HTTPRequest(url: url + path)
        request.method = method
        request.headers = headers.map { (name: $0.0, value: $0.1) }
        request.headers.append((name: "Accept", value: type))
        request.headers.append((name: "User-Agent", value: "rollcall/\(rollcallVersion)"))
        if let apiKey { request.headers.append((name: "Authorization", value: "Bearer \(apiKey)")) }
        if let body { request.body = .bytes(body) }
        return request
    }

    private static func checked(_ response: HTTPResponse) throws -> HTTPResponse {
        guard (200..<300).contains(response.status) else { throw CommandFailure(answer: response) }
        return response
    }

    /// `Retry-After` in seconds, within reason.
    static func retryAfter(_ response: HTTPResponse) -> Duration? {
        guard let text = response.header("Retry-After"), let seconds = Int(text), seconds >= 0 else { return nil }
        return min(max(.seconds(seconds), .milliseconds(100)), longestPause)
    }

    private static func givenUp(_ failure: CommandFailure, key: String) -> CommandFailure {
        var failure = failure
        failure.status = .tryAgain
        failure.hint = "It may have been done. To find out, do the same again with --idempotency-key \(key)"
        return failure
    }
}

/// Names in a request's path.
enum PathText {
    /// Slashes stay as they are: names of models have them. Everything else that is not unreserved (RFC 3986, 2.3) is
    /// percent-encoded.
    ///
    /// Throws on parts that would lead elsewhere: empty ones, `.`, and `..`.
    static func encode(_ name: String) throws -> String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else {
            throw CommandFailure(.usage, "\"\(name)\" is not a name")
        }
        return encoded(name, alsoPlain: UInt8(ascii: "/"))
    }

    /// `?a=b&c=d`, or nothing.
    static func query(_ items: [(String, String?)]) -> String {
        let given = items.compactMap { item in item.1.map { "\(encoded(item.0))=\(encoded($0))" } }
        return given.isEmpty ? "" : "?" + given.joined(separator: "&")
    }

    private static func encoded(_ text: String, alsoPlain: UInt8? = nil) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            case alsoPlain: String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
