internal import Threads

/// HTTP over one libcurl multi handle on one owned thread; thousands of transfers at once.
///
/// Connections are kept and used again, HTTP/2 is used over TLS where it is offered, certificates are verified, and
/// there are no cookies, no `.netrc`, and no proxy unless one is configured. Every transfer that is not multiplexed
/// holds a file descriptor, and so does every idle connection; each name being resolved holds a thread for that time.
/// The client does not raise `RLIMIT_NOFILE`: whoever runs thousands of transfers sees to it. Out of descriptors, a
/// transfer fails with `connect`.
///
/// A client that is dropped without `shutdown()` ends by itself; streams that are still open then fail with `stopped`.
public final class HTTPClient: Sendable {
    private let inbox: Inbox
    private let thread: OwnedThread

    public init(configuration: Configuration = .init()) {
        let inbox = Inbox()
        self.inbox = inbox
        thread = OwnedThread(name: "curl") {
            TransferLoop(inbox: inbox, configuration: configuration).run()
        }
    }

    deinit { inbox.close() }

    /// Sends, gathers the whole answer, and calls `completion` once.
    ///
    /// `completion` is called on the client's thread, which serves every other transfer too, so it must not wait. It may
    /// start further requests. If nothing can be sent, it is called before this returns.
    public func start(
        _ request: HTTPRequest, completion: @escaping @Sendable (Result<HTTPResponse, HTTPError>) -> Void
    ) {
        let receiver = WholeResponse()
        receiver.deliver { completion($0.map { $0.response() }) }
        do throws(HTTPError) {
            let exchange = try Exchange(request, receiver: receiver)
            if !inbox.submit(.start(exchange)) { receiver.finish(.stopped) }
        } catch {
            receiver.finish(error)
        }
    }

    /// Sends and gathers the whole answer. Cancelling the task ends the transfer, with `cancelled`.
    ///
    /// - Throws: `HTTPError` when there is no complete answer. A status such as 500 is an answer.
    public func execute(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let receiver = WholeResponse()
        let exchange = try Exchange(request, receiver: receiver)
        let inbox = inbox
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<WholeResponse.Outcome, Never>) in
                receiver.deliver { continuation.resume(returning: $0) }
                if !inbox.submit(.start(exchange)) { receiver.finish(.stopped) }
            }
        } onCancel: {
            exchange.cancel(through: inbox)
        }
        return try outcome.get().response()
    }

    /// Sends and returns when the head of the answer is there. Cancelling the task ends the transfer, before and after
    /// that.
    ///
    /// - Parameter started: called before anything is sent, with a function that ends the transfer, for whoever has no
    ///   task to cancel
    /// - Throws: `HTTPError` when the transfer fails before the head is complete; later failures come from the stream.
    public func stream(
        _ request: HTTPRequest, started: ((@escaping @Sendable () -> Void) -> Void)? = nil
    ) async throws(HTTPError) -> HTTPResponseStream {
        let receiver = StreamedResponse()
        let exchange = try Exchange(request, receiver: receiver)
        let inbox = inbox
        started? { exchange.cancel(through: inbox) }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                receiver.deliverHead(to: continuation)
                if !inbox.submit(.start(exchange)) { receiver.finish(.stopped) }
            }
        } onCancel: {
            exchange.cancel(through: inbox)
        }
        let head = try outcome.get()
        return HTTPResponseStream(
            head: head, transfer: StreamedTransfer(response: receiver, exchange: exchange, inbox: inbox))
    }

    /// Changes `Configuration.maximumIdleConnections`.
    public func keepConnections(_ count: Int) { _ = inbox.submit(.keepConnections(count)) }

    /// Ends what is in flight with `stopped`, and joins the thread. Calls from then on fail with `stopped`.
    public func shutdown() async {
        inbox.close()
        await thread.join()
    }
}

extension HTTPClient {
    /// Settings of every transfer of a client.
    public struct Configuration: Sendable {
        /// Connections to one host and port at once, more transfers wait their turn; 0 for no limit.
        public var maximumConnectionsPerHost: Int = 0
        /// Connections kept: when more than this exist, a transfer that ends closes the one idle for longest.
        public var maximumIdleConnections: Int = 512
        /// Sent as `User-Agent` unless a request has that header.
        public var userAgent: String = "rollcall"
        /// PEM file of the authorities to trust in place of the system's.
        public var caFile: String?
        /// PEM file of authorities to trust besides those: the internal ones of a company, say.
        public var additionalCAFile: String?
        /// URL of a proxy for every transfer. Nil for none: `http_proxy` and its like in the environment are not read,
        /// as they would send requests for private addresses to a stranger.
        public var proxy: String?

        public init() {}
    }
}
