import CRabbitMQ
import Glibc

/// Threads of our own, for what blocks.
enum OwnedThread {
    /// Runs `body` on a thread of its own, and returns when that thread has ended and been joined.
    static func run(name: String, _ body: @escaping @Sendable () -> Void) async {
        var thread: pthread_t = 0
        await withCheckedContinuation { continuation in
            thread = start(name: name) {
                body()
                continuation.resume()
            }
        }
        // It has nothing left to do but to end.
        pthread_join(thread, nil)
    }

    /// Starts a thread that is never joined.
    static func detach(name: String, _ body: @escaping @Sendable () -> Void) {
        pthread_detach(start(name: name, body))
    }

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private static func start(name: String, _ body: @escaping @Sendable () -> Void) -> pthread_t {
        var thread: pthread_t = 0
        let context = Unmanaged.passRetained(Start(name: name, body: body)).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                rollcall_set_thread_name(start.name)
                start.body()
                return nil
            }, context)
        // Only for want of memory or beyond the limit of threads: there is no way to go on.
        precondition(result == 0, "pthread_create failed")
        return thread
    }
}
