@testable import Poller

extension EndpointPoll {
    /// One poll to its end.
    func callAsFunction(_ item: PollItem, memo: PollMemo?) async throws(PollError) -> Outcome {
        try await withCheckedContinuation { continuation in
            start(item, memo: memo) { continuation.resume(returning: $0) }
        }.get()
    }
}
