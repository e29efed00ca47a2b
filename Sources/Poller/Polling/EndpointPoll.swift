import Catalog

/// Asks one endpoint for its models.
struct EndpointPoll: Sendable {
    struct Outcome: Sendable, Hashable {
        /// nil where it could not be told yet.
        var kind: EndpointKind?
        let models: [ModelEntry]
        /// Of `models`.
        let digest: String
        /// Of the request that gave the list.
        var latencyMilliseconds: Int
        /// Entries of the list that name no model, and so are in no list of ours.
        var skipped: Int

        /// For the next poll.
        var memo: PollMemo?

        init(kind: EndpointKind?, models: [ModelEntry], latencyMilliseconds: Int, skipped: Int = 0) {
            self.kind = kind
            self.skipped = skipped
            self.models = models
            self.latencyMilliseconds = latencyMilliseconds
            digest = ModelEntry.digest(of: models)
        }

        /// The models are those that are held.
        init(
            kind: EndpointKind?, held models: [ModelEntry], answers: PollMemo.Answers, memo: PollMemo,
            latencyMilliseconds: Int
        ) {
            self.kind = kind
            skipped = answers.skipped
            self.models = models
            self.latencyMilliseconds = latencyMilliseconds
            self.memo = memo
            digest = answers.digest
        }
    }

    typealias Completion = @Sendable (Result<Outcome, PollError>) -> Void

    let transport: any EndpointTransport
    let keys: EndpointKeys
    /// For all requests of one poll together.
    let timeout: Duration
    let clock: PollerClock

    /// A probe of a path that a server need not have gets no more than this, so that one that hangs does not cost the
    /// list that was already there.
    static let probeTimeout = Duration.seconds(2)
    /// Enough for 10,000 models in the pages of 20 that Anthropic sends.
    static let maximumPages = 500

    /// The native list first, where there is one that says more.
    static func formats(of kind: EndpointKind) -> [ListFormat] {
        switch kind {
        case .ollama: [.ollamaTags, .openAI]
        case .lmstudio: [.lmStudioV0, .lmStudioV1, .openAI]
        case .anthropic: [.anthropic]
        case .vllm, .sglang, .llamacpp: [.openAI]
        // Also a kind of a later release.
        default: [.openAI, .teiInfo]
        }
    }

    /// Begins a poll. `completion` is called once, on this thread or the transport's; it must not wait.
    ///
    /// - Parameter memo: what the last poll of this endpoint left
    func start(_ item: PollItem, memo: PollMemo?, completion: @escaping Completion) {
        let key: String?
        do throws(PollError) {
            key = try keys.key(of: item.endpoint)
        } catch {
            return completion(.failure(error))
        }
        let now = clock.monotonic()
        let conversation = PollConversation(item, memo: memo, now: now)
        let poll = Poll(
            transport: transport, baseURL: item.endpoint.baseURL, key: key, clock: clock, deadline: now + timeout,
            completion: completion)
        poll.take(conversation.first, of: conversation)
    }
}

/// The requests of one poll, under one deadline: does what the conversation says.
private struct Poll: Sendable {
    let transport: any EndpointTransport
    let baseURL: String
    let key: String?
    let clock: PollerClock
    let deadline: Duration
    let completion: EndpointPoll.Completion

    func take(_ step: PollConversation.Step, of conversation: PollConversation) {
        switch step {
        case .done(let outcome): completion(.success(outcome))
        case .failed(let error): completion(.failure(error))
        case .ask(let question, let limit): ask(question, limit, conversation)
        }
    }

    private func ask(_ question: PollConversation.Question, _ limit: Duration?, _ conversation: PollConversation) {
        let start = clock.monotonic()
        let left = deadline - start
        let answered = { @Sendable (answer: Result<EndpointAnswer, PollError>) in
            var conversation = conversation
            let step = conversation.take(answer, after: clock.monotonic() - start)
            take(step, of: conversation)
        }
        guard left > .zero else {
            return answered(.failure(PollError(.transport("timeout"), "no time was left for \(question.path)")))
        }
        let request = EndpointRequest(
            url: APIRoot.url(question.path, below: baseURL), key: key, isAnthropic: question.isAnthropic,
            body: question.body)
        transport.send(request, timeout: limit.map { min(left, $0) } ?? left, answered)
    }
}
