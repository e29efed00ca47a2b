/// All decisions of one exchange, without its I/O: a request of a client, the endpoints that it is sent to one after
/// another, and the one answer that comes back. It is told what happened and says what to do.
///
/// The shell around it (`Exchange`) holds what the effects are about: the lease, the connection, and the bytes.
struct RelayMachine {
    enum Phase: Sendable, Hashable {
        /// No endpoint yet: the request waits for a lease.
        case placing
        /// A lease is held; there is no connection yet.
        case connecting
        /// The request goes out or has gone out; no head of an answer has come.
        case asking
        /// An answer is in hand that another endpoint may replace, and that endpoint is looked for.
        case choosing
        /// The answer's head has gone to the client, or is about to.
        case relaying
        case over
    }

    enum Input: Sendable {
        /// The request's body is complete and in order.
        case start
        case placed
        /// `nil`: there is no endpoint but those that were asked already.
        case notPlaced(HTTPFailure?)
        /// The endpoint cannot be used by this gateway: its key cannot be unsealed.
        case unusable
        case connected(isReused: Bool)
        case connectFailed
        /// The operating system has taken the last byte of the request.
        case requestSent
        /// The head of the answer is complete, and as much of its body as the decision needs.
        case answered(RetryRules.Answer)
        case malformed
        /// The endpoint closed the connection, or it broke.
        case closed(hasAnswerBegun: Bool)
        /// The answer's last byte has gone to the client. `isClean`: the connection may take another request.
        case answerEnded(isClean: Bool)
        /// The answer broke off behind its head.
        case answerBroke(BrokenEnd)
        /// The first byte of an answer did not come in time; `waited` is the time since this endpoint was asked.
        case firstByteDeadline(waited: Duration)
        case clientGone
        /// The gateway stops and has no more time.
        case cut
    }

    enum Effect: Sendable {
        /// Look for a lease at an endpoint that has not been asked. Answer with `placed` or `notPlaced`.
        case place(mayWait: Bool)
        case leaveLine
        /// Make a connection; `isFresh`: not one that was kept.
        case connect(isFresh: Bool)
        case send
        /// Give the lease back. Where another lease has just been placed, that one takes its place.
        case release(AnswerResult)
        case closeConnection
        case keepConnection
        case reportSuspect
        case requestPoll
        /// Pass the answer in hand to the client, its head first.
        case passAnswer
        case respond(HTTPFailure)
        /// The answer went out whole.
        case finish
        /// The answer cannot be ended: say so if that is possible, and close the client's connection.
        case breakOff(BrokenEnd)
    }

    /// Why an answer ended before its end.
    enum BrokenEnd: Sendable, Hashable {
        case upstreamBroken
        case upstreamTimeout
        case gatewayStopping
    }

    private(set) var phase = Phase.placing
    private var rules: RetryRules.Request
    private var progress = RetryRules.Progress(endpoints: 0)
    private var isWaiting = false
    private var hasConnection = false
    private var holdsLease = false
    private var isReused = false
    private var isRequestSent = false
    /// What the client gets if no other endpoint can be found.
    private var fallback = HTTPFailure.upstreamUnreachable
    /// What the answer that is being passed on says of its endpoint.
    private var result = AnswerResult.unknown

    init(model: String, mayRepeatAfterSilence: Bool, refersToStoredResponse: Bool = false) {
        rules = RetryRules.Request(
            model: model, mayRepeatAfterSilence: mayRepeatAfterSilence,
            refersToStoredResponse: refersToStoredResponse)
    }

    /// The lease at an endpoint under this name of the model; the name decides which 404 means the model.
    mutating func asks(for model: String) { rules.model = model }

    mutating func handle(_ input: Input) -> [Effect] {
        if phase == .over { return late(input) }
        switch input {
        case .start: return place(mayWait: true)
        case .placed: return placed()
        case .notPlaced(let failure): return notPlaced(failure)
        case .unusable: return ended(.unusableKey)
        case .connected(let isReused): return connected(isReused)
        case .connectFailed: return phase == .connecting ? ended(.unreachable) : []
        case .requestSent:
            isRequestSent = true
            return []
        case .answered(var answer):
            guard phase == .asking else { return [] }
            answer.sentWhole = isRequestSent
            return ended(.answered(answer))
        case .malformed: return phase == .asking ? ended(.malformed) : []
        case .closed(let hasAnswerBegun): return closed(hasAnswerBegun)
        case .answerEnded(let isClean): return answerEnded(isClean)
        case .answerBroke(let reason): return broke(reason, result: .failed)
        case .firstByteDeadline(let waited): return deadline(waited)
        case .clientGone: return letGo(of: .unknown, then: [])
        case .cut: return cut()
        }
    }

    /// What arrives behind the end must not be lost: a lease that was on its way is given back.
    private mutating func late(_ input: Input) -> [Effect] {
        switch input {
        case .placed: [.release(.unknown)]
        case .connected: [.closeConnection]
        default: []
        }
    }

    // MARK: An endpoint

    private mutating func place(mayWait: Bool) -> [Effect] {
        phase = mayWait ? .placing : .choosing
        isWaiting = mayWait
        return [.place(mayWait: mayWait)]
    }

    private mutating func placed() -> [Effect] {
        isWaiting = false
        progress.endpoints += 1
        isRequestSent = false
        var effects: [Effect] = []
        if phase == .choosing {
            // The answer in hand is dropped for the next endpoint.
            effects = [.release(result)] + dropConnection()
        }
        holdsLease = true
        phase = .connecting
        return effects + [.connect(isFresh: !rules.mayRepeatAfterSilence)]
    }

    private mutating func notPlaced(_ failure: HTTPFailure?) -> [Effect] {
        isWaiting = false
        switch phase {
        case .placing: return respond(progress.endpoints == 0 ? failure ?? fallback : fallback)
        case .choosing: return passesOn ? passAnswer() : letGo(of: result, then: [.respond(fallback)])
        default: return []
        }
    }

    private mutating func connected(_ isReused: Bool) -> [Effect] {
        guard phase == .connecting else { return [.closeConnection] }
        phase = .asking
        hasConnection = true
        self.isReused = isReused
        isRequestSent = false
        return [.send]
    }

    // MARK: The end of an attempt

    private var passesOn = false

    private mutating func closed(_ hasAnswerBegun: Bool) -> [Effect] {
        hasConnection = false
        switch phase {
        case .connecting: return ended(.unreachable)
        case .asking where hasAnswerBegun: return ended(.malformed)
        case .asking: return ended(.closed(sentWhole: isRequestSent, isReused: isReused))
        default: return []
        }
    }

    private mutating func deadline(_ waited: Duration) -> [Effect] {
        switch phase {
        case .placing: respond(.upstreamTimeout)
        case .connecting, .asking: ended(.deadline(waited: waited))
        case .choosing, .relaying, .over: []
        }
    }

    /// One attempt is over, by an answer or without one: `RetryRules` says what follows.
    private mutating func ended(_ event: RetryRules.Event) -> [Effect] {
        let decision = RetryRules.decide(event, rules, progress)
        if decision.isSilence { progress.silences += 1 }
        var effects: [Effect] = []
        if decision.reportsSuspect { effects.append(.reportSuspect) }
        if decision.pollsNow { effects.append(.requestPoll) }
        result = decision.result
        switch decision.next {
        case .passOn:
            return effects + passAnswer()
        case .fail(let failure):
            return effects + letGo(of: decision.result, then: [.respond(failure)])
        case .sameEndpoint(let failure):
            fallback = failure
            phase = .connecting
            isRequestSent = false
            return effects + dropConnection() + [.connect(isFresh: true)]
        case .another(.passOn):
            passesOn = true
            return effects + place(mayWait: false)
        case .another(.fail(let failure)):
            fallback = failure
            effects += dropConnection() + releaseLease(decision.result)
            return effects + place(mayWait: true)
        }
    }

    // MARK: The answer

    private mutating func passAnswer() -> [Effect] {
        phase = .relaying
        return [.passAnswer]
    }

    private mutating func answerEnded(_ isClean: Bool) -> [Effect] {
        guard phase == .relaying else { return [] }
        phase = .over
        // A request that has not gone out whole leaves the connection in the middle of a message.
        let isReusable = isClean && isRequestSent && hasConnection
        hasConnection = false
        return releaseLease(result) + [isReusable ? .keepConnection : .closeConnection, .finish]
    }

    private mutating func broke(_ reason: BrokenEnd, result: AnswerResult) -> [Effect] {
        guard phase == .relaying else { return [] }
        return letGo(of: result, then: [.breakOff(reason)])
    }

    private mutating func cut() -> [Effect] {
        phase == .relaying
            ? broke(.gatewayStopping, result: .unknown) : letGo(of: .unknown, then: [.respond(.stopping)])
    }

    // MARK: Ends

    private mutating func respond(_ failure: HTTPFailure) -> [Effect] { letGo(of: .unknown, then: [.respond(failure)]) }

    /// Gives everything back that is held.
    private mutating func letGo(of result: AnswerResult, then last: [Effect]) -> [Effect] {
        var effects: [Effect] = isWaiting ? [.leaveLine] : []
        isWaiting = false
        phase = .over
        effects += dropConnection() + releaseLease(result)
        return effects + last
    }

    private mutating func dropConnection() -> [Effect] {
        // A connection that is still being made is told by `connected` or `connectFailed`, which come late then.
        guard hasConnection else { return [] }
        hasConnection = false
        return [.closeConnection]
    }

    private mutating func releaseLease(_ result: AnswerResult) -> [Effect] {
        guard holdsLease else { return [] }
        holdsLease = false
        return [.release(result)]
    }
}
