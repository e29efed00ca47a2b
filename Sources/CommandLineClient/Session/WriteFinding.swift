import Curl
import JSON

/// The outcome of one attempt at a write. All attempts send the same `Idempotency-Key`.
enum WriteFinding: Sendable, Hashable {
    /// A gateway says what became of the write.
    case settled
    /// The write may have been done: it was sent, and the answer did not come or does not say.
    case mayBeDone
    /// The gateway could not hand the write to the broker: this try did nothing.
    case notSent
    /// No gateway was reached, or it cannot do this now. This try did nothing.
    case unavailable
    /// Another try would fail in the same way. This try did nothing.
    case refused

    init(_ response: HTTPResponse) {
        let code = JSONValue(response.body)?["error"]["code"].string
        switch (response.status, code) {
        case (200..<300, _): self = .settled
        case (503, "outcome_unknown"): self = .mayBeDone
        case (503, "broker_unavailable"): self = .notSent
        // A load balancer lost the connection to a gateway, or waited too long for it.
        case (502, nil), (504, nil): self = .mayBeDone
        case (429, _), (502...504, _): self = .unavailable
        case (401, _), (403, _): self = .refused
        case (400..<500, .some): self = .settled
        default: self = .refused
        }
    }

    init(_ error: HTTPError) {
        self =
            switch error.code {
            case .reset, .truncated, .timeout: .mayBeDone
            case .resolve, .connect, .connectTimeout, .tls: .unavailable
            default: .refused
            }
    }

    /// - Parameter mayBeDone: whether a try before this one may have done the write
    func isRetried(mayBeDone: Bool) -> Bool {
        switch self {
        case .mayBeDone, .notSent: true
        case .unavailable: mayBeDone
        case .settled, .refused: false
        }
    }
}
