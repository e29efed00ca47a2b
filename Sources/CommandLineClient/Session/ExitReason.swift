import Conventions
import Curl
import JSON

/// The exit codes, numbered as in `sysexits.h`. Part of what is promised: scripts depend on them.
enum ExitReason: Int32, Sendable, CaseIterable {
    case success = 0
    /// Anything else that failed.
    case failure = 1
    /// `EX_USAGE`
    case usage = 64
    /// `EX_DATAERR`: the gateway refused what was sent.
    case badInput = 65
    /// `EX_NOINPUT`: there is no such endpoint, model, repository, revision, key, or operation.
    case notFound = 66
    /// `EX_UNAVAILABLE`: no gateway answered, or no broker.
    case unreachable = 69
    /// `EX_CANTCREAT`
    case conflict = 73
    /// `EX_TEMPFAIL`
    case tryAgain = 75
    /// `EX_NOPERM`
    case notPermitted = 77
    /// By Ctrl-C, as shells number it.
    case interrupted = 130

    static let help = """
        Exit codes:
            0  done
            1  failed
           64  wrong use of this command
           65  the gateway refused what was sent (400, 413, 422)
           66  no such endpoint, model, repository, key, or operation (404)
           69  no gateway could be reached (topology: no broker)
           73  conflicts with what is there (409)
           75  try again later (429, 503, 504), not done within --timeout, or not known whether it was done
           77  no valid key, or not allowed (401, 403)
          130  interrupted
        """

    /// Of an answer that is not a success.
    init(status: Int) {
        self =
            switch status {
            case 400, 413, 422: .badInput
            case 401, 403: .notPermitted
            case 404: .notFound
            case 409: .conflict
            case 429, 503, 504: .tryAgain
            default: .failure
            }
    }

    /// Of an operation's error, which has no HTTP status, by the `type` of the contract.
    init(errorType: String) {
        self =
            switch errorType {
            case "invalid_request_error": .badInput
            case "authentication_error", "permission_error": .notPermitted
            case "not_found_error": .notFound
            case "conflict_error": .conflict
            case "rate_limit_error", "service_unavailable": .tryAgain
            default: .failure
            }
    }

    /// Of a request that got no answer.
    init(_ code: HTTPError.Code) {
        self =
            switch code {
            case .resolve, .connect, .connectTimeout, .tls, .reset, .truncated: .unreachable
            case .timeout: .tryAgain
            case .invalidURL, .invalidRequest: .usage
            default: .failure
            }
    }
}

/// Why a command ends: one line, and the exit code.
struct CommandFailure: Error, Sendable, CustomStringConvertible {
    var status: ExitReason
    let message: String
    /// The error's stable name, if there is one.
    let code: String?
    /// What can be done now, on a line of its own.
    var hint: String?

    init(_ status: ExitReason, _ message: String, code: String? = nil, hint: String? = nil) {
        self.status = status
        self.message = message
        self.code = code
        self.hint = hint
    }

    /// `message (code)`
    var description: String { HumanText.clean(code.map { "\(message) (\($0))" } ?? message) }
}

extension CommandFailure {
    /// Of a failure to write to standard output.
    static let outputCode = "output_failed"

    /// From the error object that every answer of the gateway has, or an operation.
    init(error: JSONValue, status: ExitReason, otherwise: String) {
        let message = error["message"].text.map(RouteText.withCommands) ?? otherwise
        self.init(status, message, code: error["code"].string)
    }

    /// What a gateway says to HTTP clients only, such as the header that a key belongs in, is said for the command line.
    init(answer: HTTPResponse) {
        let error = JSONValue(answer.body)?["error"] ?? .null
        let status = ExitReason(status: answer.status)
        switch error["code"].string {
        case "missing_api_key":
            self.init(status, "the gateway answers only to those who have a key", code: "missing_api_key")
            hint = "Put the key into ROLLCALL_API_KEY, or into a file and that into --api-key-file."
        case let code? where answer.status == 401:
            self.init(error: error, status: status, otherwise: code)
            hint = "The key is that of ROLLCALL_API_KEY, or of the file in --api-key-file."
        case let code? where ["route_not_found", "method_not_allowed"].contains(code):
            self.init(status, "the server does not have what this command asks for", code: code)
            hint = """
                Is --url or ROLLCALL_URL the gateway's address with nothing behind it, such as \
                \(GlobalOptions.defaultURL), and is the gateway as new as this command (\(rollcallVersion))?
                """
        default:
            self.init(error: error, status: status, otherwise: Self.foreign(answer))
        }
    }

    /// Of an error that a gateway has not made. A gateway passes on the errors of endpoints as they are, and says which
    /// endpoint it was. A load balancer before the gateways has its own.
    private static func foreign(_ answer: HTTPResponse) -> String {
        let body = JSONValue(answer.body) ?? .null
        let reason = [body["error"], body["message"], body["detail"], body["error"]["message"]].lazy
            .compactMap(\.string).first { !$0.isEmpty }
        let said = reason.map { ": " + String($0.prefix(500)) } ?? ""
        guard let endpoint = answer.header("X-Rollcall-Endpoint") else {
            return
                "a server that is no gateway answered \(answer.status)\(said). It is a proxy before the gateway, or the "
                + "address is another server's: \(answer.url)"
        }
        return "the endpoint \(endpoint) answered \(answer.status)\(said.isEmpty ? ", and does not say why" : said)"
    }

    /// Of an answer that is not JSON, though its status is a success.
    static func notJSON(_ answer: HTTPResponse) -> CommandFailure {
        CommandFailure(
            .failure, "the answer is not JSON, so it is no gateway's. The address is another server's: \(answer.url)")
    }

    init(_ error: HTTPError, url: String) {
        self.init(ExitReason(error.code), "\(url): \(error.message)", code: "\(error.code)")
        switch error.code {
        case .resolve, .connect, .connectTimeout:
            hint = "Is a gateway running at that address? make run starts one; --url or ROLLCALL_URL names another."
        case .tls where error.isAnswerWithoutTLS:
            let plain = "http" + url.dropFirst("https".count)
            self.init(ExitReason(error.code), "\(url): this address speaks http, not https", code: "\(error.code)")
            hint = "Try \(plain)"
        default: break
        }
    }
}
