/// Sizes and times that inference keeps to.
struct InferenceLimits: Sendable, Hashable {
    /// The largest body of a request, in bytes; more is 413. It is held until an answer begins, as another endpoint
    /// may have to be asked.
    var bodyBytes = 64 << 20
    /// How long a client may take to send a body.
    var body = Duration.seconds(300)
    /// For a connection to an endpoint.
    var connect = Duration.seconds(5)
    /// From the first try to the first byte of an answer.
    var firstByte = Duration.seconds(300)
    /// Between two pieces of an answer.
    var idle = Duration.seconds(120)
    /// Requests that may wait for a place at an endpoint.
    var queueLength = 1000
    /// How long each may wait.
    var queue = Duration.seconds(30)
    /// Endpoints that one request may be sent to.
    var tries = 3
}
