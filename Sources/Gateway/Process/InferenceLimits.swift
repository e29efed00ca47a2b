/// Sizes and times that inference keeps to.
struct InferenceLimits: Sendable, Hashable {
    /// The largest body of a request, in bytes; more is 413. It is held until an answer begins, as another endpoint
    /// may have to be asked.
    var bodyBytes = 64 << 20
    /// The bodies of all requests together, in bytes; beyond it a request is 503.
    var heldBytes = 1 << 30
    /// How long a client may take to send a body.
    var bodyTimeout = Duration.seconds(300)
    /// For a connection to an endpoint.
    var connectTimeout = Duration.seconds(5)
    /// From the first try to the first byte of an answer.
    var firstByteTimeout = Duration.seconds(300)
    /// Between two pieces of an answer.
    var idleTimeout = Duration.seconds(120)
    /// Requests for one model that may wait for a place at an endpoint. All models together may have ten times as many.
    var queueLength = 1000
    /// How long each may wait.
    var queueTimeout = Duration.seconds(30)
}
