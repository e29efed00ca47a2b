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
        indirect case notPlaced(HTTPFailure?)
        /// The endpoint cannot be used by this gateway: its key cannot be unsealed.
        case unusable
        case connected(isReused: Bool)
        case connectFailed
        /// The gateway itself can make no connection, to whatever endpoint.
        case cannotConnect
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
        indirect case respond(HTTPFailure)
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
    /// The answer in hand goes to the client if no other endpoint is found.
    private var passesOn = false
    /// What the client gets if no other endpoint can be found.
    private var fallback = Fallback.unreachable
    /// What the answer that is being passed on says of its endpoint.
    private var result = AnswerResult.unknown

    /// Behind a reference, since a failure is large: memory of more than a kilobyte, as an exchange would need with it, does
    /// not come from the allocator's cache of its thread (glibc, `tcache_max`).
    private indirect enum Fallback {
        case failure(HTTPFailure)

        static let unreachable = Fallback.failure(.upstreamUnreachable)

        var failure: HTTPFailure {
            switch self {
            case .failure(let failure): failure
            }
        }
    }

    init(model: String, mayRepeatAfterSilence: Bool, refersToStoredResponse: Bool = false) {
        rules = RetryRules.Request(
            model: model, mayRepeatAfterSilence: mayRepeatAfterSilence,
            refersToStoredResponse: refersToStoredResponse)
    }

    /// The lease at an endpoint under this name of the model; the name decides which 404 means the model.
    mutating func asks(for model: String) { rules.model = model }

    /// Appends what is to be done, in this order, to `effects`.
    mutating func handle(_ input: Input, _ effects: inout [Effect]) {
        if phase == .over { return Self.late(input, &effects) }
        switch input {
        case .start: place(mayWait: true, &effects)
        case .placed: placed(&effects)
        case .notPlaced(let failure): notPlaced(failure, &effects)
        case .unusable: ended(.unusableKey, &effects)
        case .connected(let isReused): connected(isReused, &effects)
        case .connectFailed: if phase == .connecting { ended(.unreachable, &effects) }
        case .cannotConnect: if phase == .connecting { ended(.cannotConnect, &effects) }
        case .requestSent: isRequestSent = true
        case .answered(var answer):
            guard phase == .asking else { return }
            answer.sentWhole = isRequestSent
            ended(.answered(answer), &effects)
        case .malformed: if phase == .asking { ended(.malformed, &effects) }
        case .closed(let hasAnswerBegun): closed(hasAnswerBegun, &effects)
        case .answerEnded(let isClean): answerEnded(isClean, &effects)
        case .answerBroke(let reason): broke(reason, result: .failed, &effects)
        case .firstByteDeadline(let waited): deadline(waited, &effects)
        case .clientGone: letGo(of: .unknown, &effects)
        case .cut: cut(&effects)
        }
    }

    /// What arrives behind the end must not be lost: a lease that was on its way is given back.
    private static func late(_ input: Input, _ effects: inout [Effect]) {
        switch input {
        case .placed: effects.append(.release(.unknown))
        case .connected: effects.append(.closeConnection)
        default: break
        }
    }

    // MARK: An endpoint

    private mutating func place(mayWait: Bool, _ effects: inout [Effect]) {
        phase = mayWait ? .placing : .choosing
        isWaiting = mayWait
        effects.append(.place(mayWait: mayWait))
    }

    private mutating func placed(_ effects: inout [Effect]) {
        isWaiting = false
        progress.endpoints += 1
        isRequestSent = false
        if phase == .choosing {
            // The answer in hand is dropped for the next endpoint.
            effects.append(.release(result))
            dropConnection(&effects)
        }
        holdsLease = true
        phase = .connecting
        effects.append(.connect(isFresh: !rules.mayRepeatAfterSilence))
    }

    private mutating func notPlaced(_ failure: HTTPFailure?, _ effects: inout [Effect]) {
        isWaiting = false
        switch phase {
        case .placing: respond(progress.endpoints == 0 ? failure ?? fallback.failure : fallback.failure, &effects)
        case .choosing where passesOn: passAnswer(&effects)
        case .choosing:
            letGo(of: result, &effects)
            effects.append(.respond(fallback.failure))
        default: break
        }
    }

    private mutating func connected(_ isReused: Bool, _ effects: inout [Effect]) {
        guard phase == .connecting else { return effects.append(.closeConnection) }
        phase = .asking
        hasConnection = true
        self.isReused = isReused
        isRequestSent = false
        effects.append(.send)
    }

    // MARK: The end of an attempt

    private mutating func closed(_ hasAnswerBegun: Bool, _ effects: inout [Effect]) {
        hasConnection = false
        switch phase {
        case .connecting: ended(.unreachable, &effects)
        case .asking where hasAnswerBegun: ended(.malformed, &effects)
        case .asking: ended(.closed(sentWhole: isRequestSent, isReused: isReused), &effects)
        default: break
        }
    }

    private mutating func deadline(_ waited: Duration, _ effects: inout [Effect]) {
        switch phase {
        case .placing: respond(.upstreamTimeout, &effects)
        case .connecting, .asking: ended(.deadline(waited: waited), &effects)
        case .choosing, .relaying, .over: break
        }
    }

    /// One attempt is over, by an answer or without one: `RetryRules` says what follows.
    private mutating func ended(_ event: RetryRules.Event, _ effects: inout [Effect]) {
        let decision = RetryRules.decide(event, rules, progress)
        if decision.isSilence { progress.silences += 1 }
        if decision.reportsSuspect { effects.append(.reportSuspect) }
        if decision.pollsNow { effects.append(.requestPoll) }
        result = decision.result
        switch decision.next {
        case .passOn: passAnswer(&effects)
        case .fail(let failure):
            letGo(of: decision.result, &effects)
            effects.append(.respond(failure))
        case .sameEndpoint(let failure):
            fallback = .failure(failure)
            phase = .connecting
            isRequestSent = false
            dropConnection(&effects)
            effects.append(.connect(isFresh: true))
        case .another(.passOn):
            passesOn = true
            place(mayWait: false, &effects)
        case .another(.fail(let failure)):
            fallback = .failure(failure)
            dropConnection(&effects)
            releaseLease(decision.result, &effects)
            place(mayWait: true, &effects)
        }
    }

    // MARK: The answer

    private mutating func passAnswer(_ effects: inout [Effect]) {
        phase = .relaying
        effects.append(.passAnswer)
    }

    private mutating func answerEnded(_ isClean: Bool, _ effects: inout [Effect]) {
        guard phase == .relaying else { return }
        phase = .over
        // A request that has not gone out whole leaves the connection in the middle of a message.
        let isReusable = isClean && isRequestSent && hasConnection
        hasConnection = false
        releaseLease(result, &effects)
        effects.append(isReusable ? .keepConnection : .closeConnection)
        effects.append(.finish)
    }

    private mutating func broke(_ reason: BrokenEnd, result: AnswerResult, _ effects: inout [Effect]) {
        guard phase == .relaying else { return }
        letGo(of: result, &effects)
        effects.append(.breakOff(reason))
    }

    private mutating func cut(_ effects: inout [Effect]) {
        if phase == .relaying {
            broke(.gatewayStopping, result: .unknown, &effects)
        } else {
            respond(.stopping, &effects)
        }
    }

    // MARK: Ends

    private mutating func respond(_ failure: HTTPFailure, _ effects: inout [Effect]) {
        letGo(of: .unknown, &effects)
        effects.append(.respond(failure))
    }

    /// Gives everything back that is held.
    private mutating func letGo(of result: AnswerResult, _ effects: inout [Effect]) {
        if isWaiting { effects.append(.leaveLine) }
        isWaiting = false
        phase = .over
        dropConnection(&effects)
        releaseLease(result, &effects)
    }

    private mutating func dropConnection(_ effects: inout [Effect]) {
        // A connection that is still being made is told by `connected` or `connectFailed`, which come late then.
        guard hasConnection else { return }
        hasConnection = false
        effects.append(.closeConnection)
    }

    private mutating func releaseLease(_ result: AnswerResult, _ effects: inout [Effect]) {
        guard holdsLease else { return }
        holdsLease = false
        effects.append(.release(result))
    }
}
