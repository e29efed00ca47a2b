import Glibc
import Synchronization

/// Happens once; threads and tasks may wait for it.
public final class Event: Sendable {
    private struct State: Sendable {
        var isDone = false
        var waiters: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    public init() {}

    public var hasHappened: Bool { state.withLock { $0.isDone } }

    public func happen() {
        let waiters = state.withLock { state in
            state.isDone = true
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter() }
    }

    /// For tasks.
    public func wait() async {
        await withCheckedContinuation { continuation in whenHappened { continuation.resume() } }
    }

    /// For a server's threads.
    public func blockUntilHappened() {
        let semaphore = Semaphore()
        whenHappened { semaphore.signal() }
        semaphore.wait()
    }

    private func whenHappened(_ action: @escaping @Sendable () -> Void) {
        let isDone = state.withLock { state in
            if !state.isDone { state.waiters.append(action) }
            return state.isDone
        }
        if isDone { action() }
    }
}

/// A POSIX semaphore.
public final class Semaphore: Sendable {
    // sem_t is used through its address by calls that are thread-safe by definition; the address never changes.
    nonisolated(unsafe) private let semaphore: UnsafeMutablePointer<sem_t>

    public init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    public func signal() { sem_post(semaphore) }

    public func wait() {
        while sem_wait(semaphore) != 0 && errno == EINTR {}
    }
}
