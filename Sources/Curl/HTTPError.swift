/// Why there is no answer.
public struct HTTPError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure: stable names that may be stored and shown.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String

        /// Not an absolute http or https URL, or a redirect to something else.
        public static let invalidURL = Code(name: "invalid_url")
        /// A method or header that cannot be sent.
        public static let invalidRequest = Code(name: "invalid_request")
        /// The host name has no address.
        public static let resolve = Code(name: "resolve_failed")
        /// No TCP connection: refused, or no route.
        public static let connect = Code(name: "connect_failed")
        /// No connection in time, name resolution and TLS included, whichever of the two timeouts ran out.
        public static let connectTimeout = Code(name: "connect_timeout")
        /// Connected, but the total, first byte, or idle timeout ran out.
        public static let timeout = Code(name: "timeout")
        /// The TLS handshake failed, or the certificate was refused.
        public static let tls = Code(name: "tls_failed")
        /// The decoded body, or the head, is longer than allowed.
        public static let tooLarge = Code(name: "too_large")
        /// The connection ended in the middle of the answer.
        public static let truncated = Code(name: "truncated")
        /// The connection was reset, or closed with no answer.
        public static let reset = Code(name: "connection_reset")
        public static let tooManyRedirects = Code(name: "too_many_redirects")
        /// The task was cancelled, or the stream dropped.
        public static let cancelled = Code(name: "cancelled")
        /// The client is shut down.
        public static let stopped = Code(name: "stopped")
        /// Anything else, such as an answer that is not HTTP.
        public static let other = Code(name: "transfer_failed")

        public var description: String { name }
    }

    public let code: Code
    /// For the log. Never holds a header, a body, or the URL's user part or query.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code): \(message)" }

    /// The server answered the TLS handshake, and not with TLS: mostly an http server that was asked for https.
    public var isAnswerWithoutTLS: Bool { code == .tls && message == Self.answerWithoutTLS }
    static let answerWithoutTLS = "the server at this port does not speak TLS"
}

extension HTTPError {
    static let cancelled = HTTPError(.cancelled, "the request was cancelled")
    static let stopped = HTTPError(.stopped, "the HTTP client is shut down")
}
