/// Sizes and times that the routes keep to.
struct GatewayLimits: Sendable, Hashable {
    /// The largest body of a write, in bytes; more is 413.
    var bodyBytes = 1_048_576
    /// How long a broker may take to confirm, so that a write is answered within 2 s when the broker is away.
    var confirm = Duration.milliseconds(1500)
    /// How long a write waits for its outcome before it is answered with 202; also the command's deadline, unless its
    /// work is long.
    var outcome = Duration.seconds(20)
    /// How long the first write of a process waits to hear the registrar's clock. The registrar says its time whenever a
    /// process begins to follow the stream, and within a second after it has become the active one.
    var registrarClock = Duration.seconds(2)
    /// The deadline of a command that asks the Hub or the fleet: its sender has an operation to look at, and a queue of
    /// them may take its time.
    var longWork = Duration.seconds(300)
    /// How long to wait for a report that an `Idempotency-Key` was reused (422) before a repeated command is answered with
    /// its stored outcome.
    var repeated = Duration.seconds(2)
    /// How long a write under an `Idempotency-Key` waits for an endpoint's name that this gateway has not heard of yet.
    var unknownName = Duration.seconds(1)
    /// How long `POST …/poll` waits for the poll before it is answered with 202.
    var poll = Duration.seconds(5)
}
