/// What a follower's catalog is worth at this moment.
public struct Readiness: Sendable, Hashable {
    /// The catalog has been complete once: it can be served.
    public var isReady: Bool
    /// Following the stream right now, past the barrier: a poller takes ticks and jobs only while this holds.
    ///
    /// Also true past the barrier of a log that is followed aside (`publishInFull`) or lacks a checkpoint.
    public var isCurrent: Bool
    /// The barrier was replaced by an idle stream because nothing could be published.
    public var isUnconfirmed: Bool
    /// Past the barrier on a stream that has no checkpoint at all: the active registrar must announce everything.
    public var lacksCheckpoint: Bool
    /// Why it is not ready or not current, for people.
    public var reason: String?
    /// Where the log is being rebuilt aside: snapshots must be published in full.
    public var publishInFull: Bool

    public init(
        isReady: Bool, isCurrent: Bool, isUnconfirmed: Bool, lacksCheckpoint: Bool, reason: String?,
        publishInFull: Bool
    ) {
        self.isReady = isReady
        self.isCurrent = isCurrent
        self.isUnconfirmed = isUnconfirmed
        self.lacksCheckpoint = lacksCheckpoint
        self.reason = reason
        self.publishInFull = publishInFull
    }
}
