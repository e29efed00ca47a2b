import Synchronization

/// What the Hub has said of its rate limit, shared by all requests of one kind: the limit is that of the token or of the
/// address (huggingface.co/docs/hub/rate-limits). The Hub counts its API and its files apart.
final class HubQuota: Sendable {
    /// Who asks.
    enum Purpose: Sendable, Hashable {
        /// A person waits for the answer.
        case registration
        /// Live numbers: they can wait, and leave a part of the quota to people.
        case background
    }

    private struct State {
        var notBefore: ContinuousClock.Instant?
        /// Of requests in the background.
        var notBeforeInBackground: ContinuousClock.Instant?
    }

    /// Part of the quota that is left to people: a fifth, or this many where the Hub does not say how large it is.
    private static let reserve = 50
    /// After a refusal that says no time.
    private static let backgroundPause = Duration.seconds(30)
    /// How much longer the background waits after a refusal than people: otherwise all ask in the same moment, and those
    /// in the background can take what the Hub allows.
    private static let lead = Duration.seconds(1)

    private let state = Mutex(State())

    /// When a request may be made, nil: now.
    func opening(for purpose: Purpose, now: ContinuousClock.Instant = .now) -> ContinuousClock.Instant? {
        let opening = state.withLock { state in
            switch purpose {
            case .registration: state.notBefore
            case .background: [state.notBefore, state.notBeforeInBackground].compactMap(\.self).max()
            }
        }
        return opening.flatMap { $0 > now ? $0 : nil }
    }

    /// Takes in an answer of the Hub.
    ///
    /// - Parameter header: the first value of a header by its name.
    func note(status: Int, header: (String) -> String?, now: ContinuousClock.Instant = .now) {
        let rateLimit = header("RateLimit")
        if status == 429 {
            let wait = RetryAdvice.seconds(retryAfter: header("Retry-After"), rateLimit: rateLimit)
                .map { Duration.seconds($0) }
            state.withLock { state in
                if let wait { state.notBefore = now + wait }
                state.notBeforeInBackground = now + (wait.map { $0 + Self.lead } ?? Self.backgroundPause)
            }
        } else if let rateLimit, let left = RetryAdvice.parameter("r", of: rateLimit) {
            let quota = header("RateLimit-Policy").flatMap { RetryAdvice.parameter("q", of: $0) }
            let isScarce = left <= quota.map { $0 / 5 } ?? Self.reserve
            let wait = RetryAdvice.parameter("t", of: rateLimit).map { Duration.seconds(min($0, RetryAdvice.maximum)) }
            state.withLock { $0.notBeforeInBackground = isScarce ? wait.map { now + $0 } : nil }
        }
    }
}
