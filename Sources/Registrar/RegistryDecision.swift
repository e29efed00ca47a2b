/// What the catalog stream says of the registry, as far as this process has followed it.
struct StreamView: Sendable, Hashable {
    /// Following the stream, past a barrier that was read back: what it has not shown is not there.
    var isCurrent: Bool
    /// There is a checkpoint, and all records that it names are held.
    var isComplete: Bool
    /// UUID in the checkpoint; nil where there is none.
    var registry: String?
    /// Of the checkpoint; nil where there is none.
    var incarnation: Int64?
    /// The highest revision seen anywhere.
    var highestRevision: Int64
    /// The stream has no checkpoint, or it was made anew: then the catalog that is held is of the stream before, and
    /// followers keep to theirs until they see a higher incarnation, whatever a scheduler has said once more.
    var isNew = false
    /// How many processes have asked for everything to be announced once more.
    var requests = 0
}

/// Whether this registrar may do its work on this stream, and what has to be done first: a pure function of what the
/// stream shows and what the database holds.
enum RegistryDecision: Sendable, Hashable {
    /// The stream has not been read to its end: nothing can be told yet.
    case wait
    /// Database and stream belong together.
    case proceed
    /// The stream is another registry's. Going on would remove that one's endpoints everywhere.
    case refuse(registry: String)
    /// The stream has no checkpoint or was made anew: a new incarnation begins, and everything is announced.
    case beginIncarnation
    /// The stream has a checkpoint and lacks records that it names: everything is announced.
    case announceEverything
    /// The stream is ahead of the database (an older copy was restored), or is another registry's and was told to be
    /// taken over: what the database holds becomes the newest.
    case restamp(above: Int64, incarnation: Int64)

    /// - Parameters:
    ///   - stream: read before `store`: another registrar on the same file commits first and announces then, so a
    ///     stream read first is never ahead of the database that it was announced from.
    ///   - adopt: whether the stream of another registry is to be taken over.
    init(stream: StreamView, store: RegistryState, adopt: Bool) {
        guard stream.isCurrent else {
            self = .wait
            return
        }
        let incarnation = stream.incarnation ?? 0
        if let registry = stream.registry, registry != store.uuid {
            self =
                adopt
                ? .restamp(above: stream.highestRevision, incarnation: incarnation) : .refuse(registry: registry)
        } else if stream.highestRevision > store.revision || incarnation > store.incarnation {
            self = .restamp(above: stream.highestRevision, incarnation: incarnation)
        } else if stream.isNew || stream.registry == nil {
            self = .beginIncarnation
        } else if !stream.isComplete {
            self = .announceEverything
        } else {
            self = .proceed
        }
    }
}
