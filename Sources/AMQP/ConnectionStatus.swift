/// What a connection is worth at this moment.
public enum ConnectionStatus: Sendable, Hashable {
    /// Not connected; `reason` is the last failure, without any credential.
    case disconnected(reason: String)
    case connected
    /// Connected, but the broker has stopped reading from us (memory or disk alarm).
    case blocked(reason: String)
    /// `run` has ended. This is the last status.
    case stopped
}

/// A change of a connection. No case holds a credential: an address is a host and a port.
public enum ConnectionEvent: Sendable {
    case connected(broker: String)
    /// The connection is lost, or could not be made. It is tried again; each failed try is an event.
    case failed(broker: String, AMQPError)
    /// Connected, but a binding is missing that the user may not make. Messages to the exchange are lost.
    case lacksBinding(String)
    /// The broker has stopped reading from the connection (memory or disk alarm).
    case blocked(reason: String)
    case unblocked
}
