/// Skeleton: to be completed by the Curl implementation.
public struct HTTPRequest: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Pulled as the peer takes it; `length` nil sends it chunked.
        case stream(length: Int?, any AsyncSequence<[UInt8], any Error> & Sendable)
    }
    public var method: String = "GET"
    /// http or https only.
    public var url: String
    public var headers: [(name: String, value: String)] = []
    public var body: Body = .none
    public var connectTimeout: Duration = .seconds(5)
    /// For the whole exchange; nil for none.
    public var totalTimeout: Duration? = .seconds(30)
    /// Of the decoded body; a longer one fails with `tooLarge`.
    public var maximumBodyBytes: Int = 32 << 20
    /// 0 for none. Never leaves http/https.
    public var maximumRedirects: Int = 0

    public init(url: String) { self.url = url }
}

public struct HTTPResponse: Sendable {
    public let status: Int
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]
    /// After redirects.
    public let url: String
    /// First value of a header, name in any letter case.
    public func header(_ name: String) -> String? { fatalError() }
}

/// The head of a response whose body is pulled with back-pressure.
public struct HTTPResponseStream: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public let status: Int
    public let headers: [(name: String, value: String)]
    public struct AsyncIterator: AsyncIteratorProtocol {
        public mutating func next() async throws(HTTPError) -> [UInt8]? { fatalError() }
    }
    public func makeAsyncIterator() -> AsyncIterator { fatalError() }
    /// Ends the transfer; dropping the last reference to the stream does the same.
    public func cancel() { fatalError() }
}

public struct HTTPError: Error, Sendable {
    public struct Code: Sendable, Hashable {
        private let name: String
        public static let invalidURL = Code(name: "invalid_url")
        public static let resolve = Code(name: "resolve_failed")
        public static let connect = Code(name: "connect_failed")
        public static let connectTimeout = Code(name: "connect_timeout")
        public static let timeout = Code(name: "timeout")
        public static let tls = Code(name: "tls_failed")
        public static let tooLarge = Code(name: "too_large")
        public static let truncated = Code(name: "truncated")
        public static let reset = Code(name: "connection_reset")
        public static let tooManyRedirects = Code(name: "too_many_redirects")
        public static let cancelled = Code(name: "cancelled")
        public static let stopped = Code(name: "stopped")
        public static let other = Code(name: "transfer_failed")
        public var description: String { name }
    }
    public let code: Code
    /// Never holds a header, a body, or the URL's user part.
    public let message: String
}

/// HTTP over one libcurl multi handle on one owned thread; thousands of transfers at once.
public final class HTTPClient: Sendable {
    public struct Configuration: Sendable {
        public var maximumConnectionsPerHost: Int = 0
        public var maximumIdleConnections: Int = 512
        public var userAgent: String = "rollcall"
        public var caFile: String?
        public init() {}
    }
    public init(configuration: Configuration = .init()) { fatalError() }
    /// Sends and gathers the whole answer. Cancelling the task ends the transfer.
    public func execute(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse { fatalError() }
    /// Sends and returns when the head of the answer is there.
    public func stream(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponseStream { fatalError() }
    /// Ends what is in flight with `stopped`, and joins the thread.
    public func shutdown() async { fatalError() }
}
