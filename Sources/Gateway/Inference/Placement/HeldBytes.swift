import Synchronization

/// How many bytes of request bodies the process holds, and may hold.
final class HeldBytes: Sendable {
    let limit: Int
    private let count = Atomic(0)

    init(limit: Int) { self.limit = limit }

    var held: Int { count.load(ordering: .relaxed) }

    /// False if that would be more than the limit; then nothing is held.
    func reserve(_ bytes: Int) -> Bool {
        var held = count.load(ordering: .relaxed)
        while bytes <= limit - held {
            let (isDone, now) = count.weakCompareExchange(
                expected: held, desired: held + bytes, ordering: .relaxed)
            if isDone { return true }
            held = now
        }
        return false
    }

    func release(_ bytes: Int) {
        count.subtract(bytes, ordering: .relaxed)
    }
}

/// The part of `HeldBytes` that one request holds. It cannot be copied, so it gives back what it holds exactly once: by
/// `giveBack`, or when its owner goes.
struct HeldBytesShare: ~Copyable, Sendable {
    private let budget: HeldBytes
    private(set) var bytes = 0

    init(of budget: HeldBytes) { self.budget = budget }

    deinit { budget.release(bytes) }

    /// A piece of the body has arrived. False if the budget is spent; then the request is refused with `.overloaded`.
    mutating func grow(by count: Int) -> Bool {
        guard budget.reserve(count) else { return false }
        bytes += count
        return true
    }

    /// The body is no longer held.
    mutating func giveBack() {
        budget.release(bytes)
        bytes = 0
    }
}

extension HTTPFailure {
    /// The bodies of other requests take all the memory that requests may take.
    static let overloaded = HTTPFailure.unavailable(
        "overloaded", "This gateway holds as many request bodies as it may. Try again shortly.", retryAfter: 1)
}
