/// The one error of this module: what is known about the outcome, and a text for people.
///
/// The text never holds a user name or a password.
public struct AMQPError: Error, Sendable, CustomStringConvertible {
    /// What happened, and so what a caller may do next.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        /// Nothing was sent: there is no connection. Safe to try elsewhere or later.
        public static let notConnected = Code(name: "notConnected")
        /// Nothing was sent: the broker takes nothing now, or too much is on its way to it already.
        public static let blocked = Code(name: "blocked")
        /// The broker gave the message back: no queue is bound for it.
        public static let returned = Code(name: "returned")
        /// The broker refused the message.
        public static let nacked = Code(name: "nacked")
        /// Sent, and no answer came in time, or the connection was lost: the broker may have it.
        public static let unconfirmed = Code(name: "unconfirmed")
        /// The message cannot be sent by anyone: its body is empty, or a name or its headers are too long.
        public static let invalidMessage = Code(name: "invalidMessage")
        /// The queue of a subscription is gone, or the broker cancelled the consumer.
        public static let cancelled = Code(name: "cancelled")
        /// A channel was closed by the broker; the message says why.
        public static let channelClosed = Code(name: "channelClosed")
        /// The broker's user may not do this, or not log in; the message says what, and never who.
        public static let accessRefused = Code(name: "accessRefused")
        /// Messages to an exchange of the topology came back: its binding is gone.
        static let bindingMissing = Code(name: "bindingMissing")
        /// The connection was lost.
        public static let connectionLost = Code(name: "connectionLost")
        /// The configuration cannot be used (URL, CA file).
        public static let configuration = Code(name: "configuration")
        /// The connection has been stopped, or the task that waited for it was cancelled.
        public static let stopped = Code(name: "stopped")

        /// Passes with the connection's trouble, of which the connection's observer is told.
        public var concernsConnection: Bool {
            switch self {
            case .notConnected, .blocked, .unconfirmed, .connectionLost, .stopped: true
            default: false
            }
        }

        public var description: String { name }
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code): \(message)" }
}
