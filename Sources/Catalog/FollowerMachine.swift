/// All decisions of a `CatalogFollower`, without its I/O: told what happened and when, says what to do.
///
/// One session is one subscription to the stream. It begins as a resume of what was followed before, or cold: with the
/// last minutes of the log, then, where those do not suffice, with all of it. Each session has a barrier, a mark of its
/// own that it waits to read back. A cold session of a follower that has been ready builds a catalog aside, and the
/// old one is served until the new one can take its place.
struct FollowerMachine {
    typealias Instant = ContinuousClock.Instant

    /// Where to subscribe.
    enum Start: Sendable, Hashable {
        /// At the last applied offset, which must then be the first delivery.
        case resume(at: Int64)
        /// So many seconds ago.
        case window(seconds: Int)
        case first
    }

    enum Action: Sendable, Hashable {
        /// Publish a mark with this id, and report what became of it.
        case publishMark(id: String)
        /// End the subscription and begin again.
        case resubscribe
    }

    /// One delivery, decoded; `message` is nil where it means nothing to this version, or a later one of the
    /// same batch supersedes it.
    struct Incoming: Sendable {
        var offset: Int64
        var messageID: String
        var message: CatalogMessage?
    }

    struct Position: Sendable, Hashable {
        var offset: Int64
        var messageID: String
    }

    struct Mark: Sendable {
        let id: String
        var isSeen = false
        /// The last try to publish it failed: an idle stream may stand in for it.
        var hasFailed = false
        var retryAt: Instant
    }

    struct Session: Sendable {
        let start: Start
        var mark: Mark
        /// A resume has been checked; a cold session has nothing to check.
        var isChecked: Bool
        let checkBy: Instant
        var idleSince: Instant
        var isPastBarrier = false
        var position: Position?

        var isCold: Bool { if case .resume = start { false } else { true } }
    }

    /// How long a resume may take to show its first delivery, and how long an idle stream must be to stand in for a mark.
    static let patience = Duration.seconds(2)
    static let markRetry = Duration.seconds(1)
    static let markTimeout = Duration.seconds(5)

    private let window: Start
    private let makeID: @Sendable () -> String

    /// What is served, or on the way to be for the first time.
    private(set) var catalog = Catalog()
    /// A new log's catalog, until it can take the place of `catalog`.
    private(set) var aside: Catalog?
    private(set) var isReady = false
    private var position: Position?
    private var session: Session?
    private var next: Start?
    private var reason: String? = "not connected to the broker yet"
    private var freshness = Freshness()
    private var asideFreshness = Freshness()

    init(refreshInterval: Duration, makeID: @escaping @Sendable () -> String) {
        window = .window(seconds: Int(2 * refreshInterval.components.seconds) + 60)
        self.makeID = makeID
    }

    // MARK: What is asked of it

    var readiness: Readiness {
        let isPastBarrier = session?.isPastBarrier ?? false
        let isConfirmed = session?.mark.isSeen ?? false
        let lacksCheckpoint = isConfirmed && session?.start == .first && (aside ?? catalog).version == nil
        return Readiness(
            isReady: isReady, isCurrent: isPastBarrier, isUnconfirmed: isPastBarrier && !isConfirmed,
            lacksCheckpoint: lacksCheckpoint, reason: isReady && isPastBarrier && aside == nil ? nil : explanation,
            publishInFull: aside != nil)
    }

    func age(_ now: Instant) -> Duration? { freshness.age(now) }

    /// The view of the catalog that is served, with its list not joined yet. Returns nil if `isOver` became true before the
    /// work was done; the caller calls again then.
    ///
    /// Nothing of the catalog is served before it has been complete once, so the view is empty until then.
    mutating func draftView(
        with builder: inout CatalogViewBuilder, until isOver: () -> Bool
    ) -> CatalogViewDraft? {
        let knownCurrent = freshness.knownCurrent
        guard isReady else {
            return CatalogViewBuilder.draft(without: catalog, readiness: readiness, knownCurrent: knownCurrent)
        }
        guard builder.prepare(&catalog, until: isOver) else { return nil }
        return builder.draft(of: &catalog, readiness: readiness, knownCurrent: knownCurrent)
    }

    /// When `tick` is due next; nil: when something else happens.
    var nextDeadline: Instant? {
        guard let session else { return nil }
        var times: [Instant] = []
        if !session.isChecked { times.append(session.checkBy) }
        if !session.mark.isSeen { times.append(session.mark.retryAt) }
        if canStandIn(session) { times.append(session.idleSince + Self.patience) }
        return times.min()
    }

    // MARK: What it is told

    /// A subscription is about to be made: where to.
    mutating func begin() -> Start {
        session = nil
        if let start = next {
            next = nil
            return start
        }
        aside = nil
        if isReady, let position { return .resume(at: position.offset) }
        catalog = Catalog()
        freshness = Freshness()
        return window
    }

    mutating func subscribed(_ start: Start, now: Instant) -> [Action] {
        var isCold = true
        if case .resume = start { isCold = false }
        let mark = Mark(id: makeID(), retryAt: now + Self.markTimeout)
        session = Session(
            start: start, mark: mark, isChecked: isCold, checkBy: now + Self.patience, idleSince: now)
        reason = "reading the catalog stream"
        return [.publishMark(id: mark.id)]
    }

    /// The subscription is gone, or could not be made. `reason` holds no secret.
    mutating func lost(_ reason: String) {
        session = nil
        next = nil
        aside = nil
        self.reason = reason
    }

    /// Applies messages from the front of `batch`, and takes them off it, until `isOver` or until there are none left.
    /// `settle` must follow once there are none left. Each message is applied as a whole.
    ///
    /// `wallClock`: milliseconds since 1970.
    mutating func receive(
        _ batch: inout ArraySlice<Incoming>, until isOver: () -> Bool, now: Instant, wallClock: Int64
    ) -> (actions: [Action], effects: [CatalogEffect]) {
        var effects: [CatalogEffect] = []
        while session != nil, let incoming = batch.popFirst() {
            session?.idleSince = now
            if session?.isChecked == false {
                guard Position(offset: incoming.offset, messageID: incoming.messageID) == position else {
                    batch = []
                    return (rebuild("the catalog stream is not the one that was followed"), effects)
                }
                session?.isChecked = true
            } else {
                apply(incoming, &effects, now: now, wallClock: wallClock)
            }
            if isOver() { return ([], effects) }
        }
        // Without a session there is nothing that they could be applied to.
        if session == nil { batch = [] }
        return ([], effects)
    }

    /// All that had come up has been received: is it enough?
    mutating func settle() -> (actions: [Action], effects: [CatalogEffect]) {
        var effects: [CatalogEffect] = []
        let actions = evaluate(&effects)
        return (actions, effects)
    }

    /// The broker has confirmed the mark. It is still to be read back.
    mutating func markSent(id: String) {
        guard session?.mark.id == id else { return }
        session?.mark.hasFailed = false
    }

    mutating func markFailed(id: String, now: Instant) {
        guard session?.mark.id == id else { return }
        session?.mark.hasFailed = true
        session?.mark.retryAt = now + Self.markRetry
    }

    /// Time has passed.
    mutating func tick(now: Instant) -> (actions: [Action], effects: [CatalogEffect]) {
        guard let current = session else { return ([], []) }
        if !current.isChecked, now >= current.checkBy {
            return (rebuild("the catalog stream no longer holds what was applied last"), [])
        }
        var actions: [Action] = []
        var effects: [CatalogEffect] = []
        if canStandIn(current), now >= current.idleSince + Self.patience {
            session?.isPastBarrier = true
            actions += evaluate(&effects)
        }
        if !current.mark.isSeen, now >= current.mark.retryAt, !actions.contains(.resubscribe) {
            session?.mark.retryAt = now + Self.markTimeout
            actions.append(.publishMark(id: current.mark.id))
        }
        return (actions, effects)
    }

    // MARK: How it decides

    private func canStandIn(_ session: Session) -> Bool {
        !session.isPastBarrier && session.isChecked && session.mark.hasFailed
    }

    private mutating func apply(
        _ incoming: Incoming, _ effects: inout [CatalogEffect], now: Instant, wallClock: Int64
    ) {
        let position = Position(offset: incoming.offset, messageID: incoming.messageID)
        session?.position = position
        let isLive = session?.isPastBarrier ?? false
        if aside != nil {
            let found = incoming.message.flatMap { aside?.apply($0, at: incoming.offset) } ?? []
            aside?.skip(incoming.offset)
            asideFreshness.note(incoming.message, isLive: isLive, now: now, wallClock: wallClock)
            if isLive { effects += found }
        } else {
            let found = incoming.message.map { catalog.apply($0, at: incoming.offset) } ?? []
            catalog.skip(incoming.offset)
            self.position = position
            freshness.note(incoming.message, isLive: isLive, now: now, wallClock: wallClock)
            // What was asked for before a cold start has been done long since, or is asked for again.
            let isAsked = session?.isCold == false
            effects += isLive ? found : found.filter { (isAsked || !$0.isRequest) && !$0.isMomentary }
        }
        if case .syncMark(let mark)? = incoming.message, mark.id == session?.mark.id {
            session?.mark.isSeen = true
            session?.isPastBarrier = true
        }
    }

    /// Past the barrier of a cold session: is what was read enough?
    private mutating func evaluate(_ effects: inout [CatalogEffect]) -> [Action] {
        guard let session, session.isPastBarrier, session.isCold, aside != nil || !isReady else { return [] }
        let completeness = (aside ?? catalog).completeness
        if session.start == window, !completeness.isComplete {
            // Joins are idempotent: what has been read is kept, and read once more from further back.
            next = .first
            self.session = nil
            reason = "the last minutes of the catalog stream were not enough: reading all of it"
            return [.resubscribe]
        }
        guard completeness.hasRecords else { return [] }
        if let new = aside {
            guard let version = new.version, let old = catalog.version, version > old,
                !new.lacksSnapshots(of: catalog)
            else { return [] }
            effects += new.differences(from: catalog)
            catalog = new
            freshness = asideFreshness
            aside = nil
            position = session.position
        } else {
            effects.append(.modelsChanged)
        }
        isReady = true
        return []
    }

    private mutating func rebuild(_ reason: String) -> [Action] {
        aside = Catalog()
        asideFreshness = Freshness()
        next = window
        session = nil
        self.reason = reason
        return [.resubscribe]
    }

    private var explanation: String? {
        guard session?.isPastBarrier == true else { return reason }
        let completeness = (aside ?? catalog).completeness
        if !completeness.hasCheckpoint { return "the catalog stream has no checkpoint: no registrar has announced yet" }
        if completeness.missingRecords > 0 { return "\(completeness.missingRecords) records are not announced yet" }
        guard let aside else { return reason }
        return aside.lacksSnapshots(of: catalog)
            ? "the catalog stream does not have all snapshots yet" : "the catalog stream is older than what is served"
    }
}
