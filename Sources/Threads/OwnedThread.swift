internal import CThreads
internal import Glibc
internal import Synchronization

/// A thread that runs one function, for code that blocks. It can be joined without blocking the caller's thread.
///
/// A thread whose object is dropped goes on, and is detached.
package final class OwnedThread: Sendable {
    private let completion: Completion
    private let handle: pthread_t
    /// A thread is joined or detached once.
    private let isJoined = Atomic(false)

    /// Stops the process if the system has no thread left.
    ///
    /// - Parameter name: for `ps` and debuggers; Linux shows the first 15 bytes
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        let completion = Completion()
        let start = ThreadStart {
            rollcall_set_thread_name(name)
            blockSignals()
            body()
            completion.signal()
        }
        let context = Unmanaged.passRetained(start)
        var handle = pthread_t()
        let result = pthread_create(&handle, nil, runThread, context.toOpaque())
        precondition(result == 0, "pthread_create failed")
        self.completion = completion
        self.handle = handle
    }

    deinit {
        if isJoined.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged {
            pthread_detach(handle)
        }
    }

    /// Returns when the function has returned. The thread is then a few instructions from its end, so `pthread_join`
    /// does not block the caller's thread.
    package func join() async {
        await completion.wait()
        if isJoined.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged {
            pthread_join(handle, nil)
        }
    }
}

/// Carries the function through the `void *` of pthread_create.
private final class ThreadStart: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}

/// The program's own threads handle signals. SIGPIPE must not reach an owned thread: OpenSSL writes to sockets without
/// MSG_NOSIGNAL, and libcurl leaves the signal to its caller under CURLOPT_NOSIGNAL. Threads that this thread starts
/// (libcurl's resolvers) inherit the mask.
private func blockSignals() {
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
}

/// An event that happens once.
private final class Completion: Sendable {
    private struct State: Sendable {
        var isDone = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func signal() {
        let waiters = state.withLock { state in
            state.isDone = true
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if !state.isDone { state.waiters.append(continuation) }
                return state.isDone
            }
            if isDone { continuation.resume() }
        }
    }
}
