/// The words in which a `FollowerMachine` and its driver speak.
extension FollowerMachine {
    typealias Instant = ContinuousClock.Instant

    /// What a process needs of the catalog before it can do its work.
    enum Need: Sendable, Hashable {
        case records
        /// Also what the endpoints serve.
        case everything
    }

    /// What the driver does next.
    enum Step: Sendable, Hashable {
        /// Read the newest image, and say with `start(from:)` what it is.
        case readImage
        case subscribe(Start)
    }

    /// Where to subscribe.
    enum Start: Sendable, Hashable {
        /// At the last applied offset, which must then be the first delivery.
        case resume(at: Int64)
        case first
    }

    enum Action: Sendable, Hashable {
        /// Publish a mark with this id, and report what became of it.
        case publishMark(id: String)
        /// End the subscription and begin again.
        case resubscribe
        /// Ask on the stream for everything to be said once more.
        case requestCatalog
    }

    /// One delivery, decoded; `message` is nil if it means nothing to this version.
    struct Incoming: Sendable {
        var offset: Int64
        var messageID: String
        var message: CatalogMessage?
        /// Bytes of the message's body.
        var size = 0
    }

    struct Mark: Sendable {
        let id: String
        var isSeen = false
        /// The last try to publish it failed: an idle stream may stand in for it.
        var hasFailed = false
        var retryAt: Instant
    }

    /// One subscription to the stream.
    struct Session: Sendable {
        let start: Start
        /// What the first delivery must be; nil once it was, and if there is nothing to check.
        var expected: LogPosition?
        /// It goes on with the catalog that is served. Any other session builds one.
        let isContinuation: Bool
        var mark: Mark
        /// When the first delivery must have come.
        var checkBy: Instant
        var idleSince: Instant
        /// When the mark was read back, or an idle stream stood in for it.
        var pastBarrierSince: Instant?
        var requestAt: Instant?

        var isPastBarrier: Bool { pastBarrierSince != nil }
    }
}

/// How far a catalog has been applied, and how much of the log it took.
public struct LogProgress: Sendable, Hashable {
    /// Of the last message that was applied; nil before the first one.
    public internal(set) var position: LogPosition?
    /// Bytes of the messages that were applied since the image, or since the beginning.
    public internal(set) var bytes = 0
    /// The image from which the catalog started; nil if it started from the stream.
    public internal(set) var image: Image?

    public struct Image: Sendable, Hashable {
        public let position: LogPosition
        /// Bytes.
        public let size: Int

        public init(position: LogPosition, size: Int) {
            self.position = position
            self.size = size
        }
    }

    public init(position: LogPosition? = nil, bytes: Int = 0, image: Image? = nil) {
        self.position = position
        self.bytes = bytes
        self.image = image
    }
}
