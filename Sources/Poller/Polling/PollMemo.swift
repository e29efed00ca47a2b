import Catalog

/// What a poller remembers of the last poll of an endpoint.
struct PollMemo: Sendable, Hashable {
    /// The answers that gave the last list, so that equal ones need not be read again.
    struct Answers: Sendable, Hashable {
        var format: ListFormat
        var list: AnswerHash
        /// What was asked for beside the list, and the answer to it.
        var detail: PollConversation.Detail?
        var detailAnswer: AnswerHash?
        /// Of the models that the answers gave.
        var digest: String
        /// Entries of the list that name no model.
        var skipped: Int
    }

    /// Of the record that was polled.
    var generation: Int64
    var kind: EndpointKind
    /// When the kind was last found out.
    var detectedAt: Duration
    /// nil if the list came in pages, or with the detection of the kind.
    var answers: Answers?
}

/// Tells two answers apart. Hashes are seeded anew in each process, so no server can make two bodies with one hash.
struct AnswerHash: Sendable, Hashable {
    private let count: Int
    private let hash: Int

    /// nil for what is no list and no detail: a failure, an error's status, the answer of a gateway.
    init?(_ answer: Result<EndpointAnswer, PollError>) {
        guard case .success(let answer) = answer, answer.status == 200, !answer.isFromGateway else { return nil }
        count = answer.body.count
        var hasher = Hasher()
        answer.body.withUnsafeBytes { hasher.combine(bytes: $0) }
        hash = hasher.finalize()
    }
}
