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
