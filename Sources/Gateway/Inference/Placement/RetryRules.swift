import Catalog
import HTTPTypes

/// What follows when an endpoint was asked: who is asked next, what the client gets if nobody is left, and what the
/// gateway learns of the endpoint. Pure. It decides before the first byte of an answer has gone to the client; later
/// there is nothing to decide.
enum RetryRules {
    /// What all attempts of a request have in common.
    struct Request: Sendable, Hashable {
        /// The model's id, as the endpoint was asked for it.
        var model: String
        /// Whether the request may be sent once more if nobody knows what became of it. True for paths that only compute
        /// an answer within seconds. False for images and audio, which take minutes, and for responses that are stored.
        var mayRepeatAfterSilence: Bool
        /// The request refers to a response that one endpoint keeps: a 404 says that it was another endpoint.
        var refersToStoredResponse = false
    }

    /// What has happened so far.
    struct Progress: Sendable, Hashable {
        /// Endpoints that were asked, this one included.
        var endpoints = 1
        /// Earlier attempts of which the whole request was sent, and no byte came back.
        var silences = 0
    }

    enum Event: Sendable, Hashable {
        /// The name was not resolved, or no TCP or TLS connection was made.
        case unreachable
        /// The gateway has no descriptor, port, or memory left for a connection.
        case cannotConnect
        /// The endpoint's key cannot be unsealed.
        case unusableKey
        /// The connection ended (FIN or RST) before any byte of an answer. `isReused`: it had served a request before.
        case closed(sentWhole: Bool, isReused: Bool)
        /// What came is no head of an answer, a head that was cut off, or 101.
        case malformed
        /// No answer had begun at the first-byte deadline, this long after the request was sent to this endpoint.
        case deadline(waited: Duration)
        case answered(Answer)
    }

    struct Answer: Sendable, Hashable {
        var status: Int
        var retryAfter: String?
        /// If `needsBody(status)`: its first `prefixBytes` bytes, or all, if it has fewer.
        var body: [UInt8] = []
        /// False if the answer came before the request's end.
        var sentWhole = true
    }

    /// Endpoints that one request may be sent to.
    static let endpoints = 3
    static let prefixBytes = 1024
    static let defaultRetryAfter = 1.0
    static let longestRetryAfter = 30.0
    /// An endpoint that was asked less than this long before the deadline cannot be blamed for it: the rest of the time
    /// was spent in the queue or at other endpoints.
    static let fairTime = Duration.seconds(10)

    /// Only a 404 is told apart by its body.
    static func needsBody(_ status: Int) -> Bool { status == 404 }

    static func decide(_ event: Event, _ request: Request, _ progress: Progress) -> RetryDecision {
        var decision = rule(event, request, progress)
        if case .another(let otherwise) = decision.next, progress.endpoints >= limit(request) {
            switch otherwise {
            case .passOn: decision.next = .passOn
            case .fail(let failure): decision.next = .fail(failure)
            }
        }
        return decision
    }

    /// A stored response is looked for everywhere: an endpoint that does not have it has done nothing.
    private static func limit(_ request: Request) -> Int { request.refersToStoredResponse ? .max : endpoints }

    private static func rule(_ event: Event, _ request: Request, _ progress: Progress) -> RetryDecision {
        switch event {
        case .unreachable: RetryDecision(.another(otherwise: .fail(.upstreamUnreachable)), .unreachable)
        // Another endpoint would get no connection either, and none is to blame.
        case .cannotConnect: RetryDecision(.fail(.noConnectionLeft), .unknown)
        case .unusableKey: RetryDecision(.another(otherwise: .fail(.upstreamUnreachable)), .failed)
        case .closed(let sentWhole, let isReused): closed(sentWhole, isReused, request, progress)
        // Something worked on the request, so it is not sent again.
        case .malformed: RetryDecision(.fail(.upstreamInvalid), .failed)
        // The deadline is for all attempts together.
        case .deadline(let waited):
            RetryDecision(.fail(.upstreamTimeout), waited >= fairTime ? .failed : .unknown)
        case .answered(let answer): answered(answer, request)
        }
    }

    /// Either the endpoint closed an idle connection just when the request was sent, which is normal, or the request has
    /// killed it. So a request is sent once more only, and at most two endpoints get one that kills.
    private static func closed(
        _ sentWhole: Bool, _ isReused: Bool, _ request: Request, _ progress: Progress
    ) -> RetryDecision {
        let result: AnswerResult = isReused ? .unknown : .failed
        if sentWhole && (!request.mayRepeatAfterSilence || progress.silences > 0) {
            return RetryDecision(.fail(.upstreamSilent), result, isSilence: true)
        }
        let next: RetryDecision.Next =
            isReused ? .sameEndpoint(otherwise: .upstreamSilent) : .another(otherwise: .fail(.upstreamSilent))
        return RetryDecision(next, result, isSilence: sentWhole)
    }

    private static func answered(_ answer: Answer, _ request: Request) -> RetryDecision {
        switch answer.status {
        case 200...299: RetryDecision(.passOn, .succeeded)
        case 300...399: RetryDecision(.fail(.upstreamRedirect), .failed)
        // The endpoint's key is wrong, not the client's, whose software would give up its own key.
        case 401, 403: unauthorized(answer)
        case 404 where request.refersToStoredResponse: RetryDecision(.another(otherwise: .passOn), .refused)
        case 404:
            names(request.model, answer.body)
                ? RetryDecision(.another(otherwise: .passOn), .refused, pollsNow: true)
                : RetryDecision(.passOn, .refused)
        case 409: RetryDecision(.another(otherwise: .passOn), .refused, pollsNow: true)
        case 429: RetryDecision(.another(otherwise: .passOn), .full(retryAfter(answer.retryAfter)))
        case 400...499: RetryDecision(.passOn, .refused)
        // A proxy's answer: nobody was behind it, so nothing was done.
        case 502, 503: RetryDecision(.another(otherwise: .passOn), .failed)
        // Somebody was behind the proxy and may have worked for long, or works still.
        case 504: RetryDecision(request.mayRepeatAfterSilence ? .another(otherwise: .passOn) : .passOn, .failed)
        // Clients repeat a 500 by themselves, and then get another endpoint.
        case 500...599: RetryDecision(.passOn, .failed)
        default: RetryDecision(.fail(.upstreamInvalid), .failed)
        }
    }

    /// An endpoint that answers before it has read the request may refuse its size as well as its key. Its own word then
    /// tells the client more than a guess, and a large body is not sent to three endpoints.
    private static func unauthorized(_ answer: Answer) -> RetryDecision {
        answer.sentWhole
            ? RetryDecision(.another(otherwise: .fail(.upstreamUnauthorized)), .failed)
            : RetryDecision(.passOn, .failed)
    }

    /// Whole seconds, or a fraction of them. A date counts as none: clocks differ.
    static func retryAfter(_ text: String?) -> Duration {
        guard let seconds = text.flatMap(Double.init), seconds >= 0 else { return .seconds(defaultRetryAfter) }
        return .seconds(min(seconds, longestRetryAfter))
    }

    /// Whether a 404 is about the model and not about the path, or about an object that the request refers to. Servers
    /// have no common form for it, so their words are looked at: the model's id, or "model" in any case.
    private static func names(_ model: String, _ body: [UInt8]) -> Bool {
        let body = body.prefix(prefixBytes).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return contains(body, Array("model".utf8)) || contains(body, Array(ASCIIFolding.lowercased(model).utf8))
    }

    private static func contains(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        guard !word.isEmpty, text.count >= word.count else { return false }
        return (0...(text.count - word.count)).contains { text[$0...].starts(with: word) }
    }
}

/// What is done after an attempt.
struct RetryDecision: Sendable {
    enum Next: Sendable {
        /// The answer goes to the client.
        case passOn
        case fail(HTTPFailure)
        /// The same endpoint is asked once more, on a new connection and with the same lease.
        case sameEndpoint(otherwise: HTTPFailure)
        /// Another endpoint is asked. `otherwise` is for the case that none is left.
        case another(otherwise: Fallback)
    }

    enum Fallback: Sendable {
        /// The answer in hand. No place is waited for, as there is an answer already.
        case passOn
        case fail(HTTPFailure)
    }

    var next: Next
    /// For the endpoint's lease. After `.sameEndpoint` the lease is kept. After `.passOn` with `.succeeded` it is told so
    /// only when the whole answer has passed.
    var result: AnswerResult
    /// The catalog is out of date: the endpoint is to be polled now.
    var pollsNow: Bool
    /// This attempt is one of `Progress.silences` from now on.
    var isSilence: Bool

    init(_ next: Next, _ result: AnswerResult, pollsNow: Bool = false, isSilence: Bool = false) {
        self.next = next
        self.result = result
        self.pollsNow = pollsNow
        self.isSilence = isSilence
    }

    /// All gateways are told that the endpoint cannot be reached.
    var reportsSuspect: Bool { result == .unreachable }
}

// MARK: Answers of the gateway's own

extension HTTPFailure {
    static let upstreamUnreachable = HTTPFailure(
        .badGateway, code: "upstream_unreachable",
        "No endpoint of this model could be reached. The request may be sent again.")
    static let noConnectionLeft = HTTPFailure.unavailable(
        "overloaded", "This gateway has no descriptor or port left for a connection. Try again shortly.", retryAfter: 1)
    static let upstreamSilent = HTTPFailure(
        .badGateway, code: "upstream_unreachable",
        "The endpoint closed the connection without an answer. Whether it did anything is not known.")
    static let upstreamUnauthorized = HTTPFailure(
        .badGateway, code: "upstream_unauthorized",
        "No endpoint of this model accepts the key that the gateway has for it. Your own key is not the cause.")
    static let upstreamRedirect = HTTPFailure(
        .badGateway, code: "upstream_redirect",
        "The endpoint answered with a redirect, which is not followed. Its base URL must name the final address.")
    static let upstreamInvalid = HTTPFailure(
        .badGateway, code: "upstream_invalid", "The endpoint's answer is not HTTP, or broke off in its head.")
    static let upstreamTimeout = HTTPFailure(
        status: .gatewayTimeout,
        error: APIError(
            type: "upstream_error", code: "upstream_timeout",
            message: "The endpoint did not begin to answer in time."))
}
