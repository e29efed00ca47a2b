import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Happens once; threads and tasks may wait for it.
final class Signal: Sendable {
    private struct State: Sendable {
        var isDone = false
        var waiters: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    var hasHappened: Bool { state.withLock { $0.isDone } }

    func happen() {
        let waiters = state.withLock { state in
            state.isDone = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in whenHappened { continuation.resume() } }
    }

    func blockUntilHappened() {
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

private final class Semaphore: Sendable {
    // sem_t is used through its address by calls that are thread-safe by definition; the address never changes.
    nonisolated(unsafe) private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func signal() { sem_post(semaphore) }
    func wait() { while sem_wait(semaphore) != 0 && errno == EINTR {} }
}

/// A list that threads add to.
final class Record<Element: Sendable>: Sendable {
    private let held = Mutex<[Element]>([])
    func add(_ element: Element) { held.withLock { $0.append(element) } }
    var all: [Element] { held.withLock { $0 } }
}
