extension HTTPClient {
    /// What holds for every transfer of a client.
    public struct Configuration: Sendable {
        /// Connections to one host and port at once, more transfers wait their turn; 0 for no limit.
        public var maximumConnectionsPerHost: Int = 0
        /// Connections kept: when more than this exist, a transfer that ends closes the one idle for longest.
        public var maximumIdleConnections: Int = 512
        /// Sent as `User-Agent` unless a request has that header.
        public var userAgent: String = "rollcall"
        /// PEM file of the authorities to trust in place of the system's.
        public var caFile: String?
        /// URL of a proxy for every transfer. Nil for none: `http_proxy` and its like in the environment are not read,
        /// as they would send requests for private addresses to a stranger.
        public var proxy: String?

        public init() {}
    }
}
