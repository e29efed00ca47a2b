/// All decisions of a `CatalogFollower`, without its I/O: told what happened and when, says what to do.
///
/// A session is one subscription to the stream. It goes on where something left off: behind the catalog that is served, or
/// behind the newest image. In both cases the first delivery must be the message that was applied last. If it is not, or
/// if there is no image, the session reads the stream from its beginning. Each session has a barrier, a mark of its own
/// that it waits to read back. A follower that has been ready before builds a new catalog aside, and serves the old one
/// until the new one can take its place.
struct FollowerMachine {
    /// How long an idle stream must be to stand in for a mark that cannot be published. Also how long a resumed session waits
    /// for its first delivery once the broker has confirmed its mark: beyond the end of a stream nothing is delivered, not
    /// even the mark.
    static let patience = Duration.seconds(2)
    /// How long a resumed session waits for its first delivery without that confirm: a broker that has just restarted may
    /// take long for either.
    static let checkPatience = Duration.seconds(30)
    static let markRetry = Duration.seconds(1)
    static let markTimeout = Duration.seconds(5)
    /// How long a catalog that lacks something waits before it asks for everything, and then between two requests.
    static let requestDelay = Duration.seconds(1)
    static let requestRetry = Duration.seconds(10)
    /// How long a catalog waits for lists of models that others know of. After this they come with the next polls.
    static let listPatience = Duration.seconds(10)

    /// The catalog with which the next session begins.
    private enum Basis {
        /// The catalog that is served; the newest image if none is.
        case served
        /// The newest image, which has to be read first.
        case image
        case imageAt(LogPosition)
        case nothing
    }

    private let need: Need
    private let makeID: @Sendable () -> String

    /// What is served, or on the way to be for the first time.
    private(set) var catalog = Catalog()
    private(set) var progress = LogProgress()
    /// A new log's catalog, until it can take the place of `catalog`.
    private(set) var aside: Catalog?
    private var asideProgress = LogProgress()
    private(set) var isReady = false
    private(set) var session: Session?
    private var basis = Basis.served
    private(set) var reason: String? = "not connected to the broker yet"
    private(set) var freshness = Freshness()
    private var asideFreshness = Freshness()

    init(need: Need = .everything, makeID: @escaping @Sendable () -> String) {
        self.need = need
        self.makeID = makeID
    }

    // MARK: What it is told

    /// Must be called before each subscription. Says whether an image must be read first, and where to subscribe.
    mutating func begin() -> Step {
        session = nil
        switch basis {
        case .served:
            aside = nil
            if isReady, let position = progress.position { return .subscribe(.resume(at: position.offset)) }
            basis = .image
            return .readImage
        case .image: return .readImage
        case .imageAt(let position): return .subscribe(.resume(at: position.offset))
        case .nothing: return .subscribe(.first)
        }
    }

    /// The newest image has been read; nil if there is none that can be used.
    ///
    /// `wallClock`: milliseconds since 1970.
    mutating func start(from image: CatalogImage.Content?, now: Instant, wallClock: Int64) {
        build(on: image?.catalog ?? Catalog())
        basis = .nothing
        guard let image else { return }
        basis = .imageAt(image.position)
        let progress = LogProgress(
            position: image.position, image: LogProgress.Image(position: image.position, size: image.size))
        let madeAt = image.catalog.checkpoint?.madeAt
        if aside == nil {
            self.progress = progress
            if let madeAt { freshness.note(madeAt: madeAt, now: now, wallClock: wallClock) }
        } else {
            asideProgress = progress
            if let madeAt { asideFreshness.note(madeAt: madeAt, now: now, wallClock: wallClock) }
        }
    }

    mutating func subscribed(_ start: Start, now: Instant) -> [Action] {
        var isContinuation = false
        var expected: LogPosition?
        switch basis {
        case .served:
            isContinuation = true
            expected = progress.position
        case .imageAt(let position): expected = position
        case .image, .nothing: break
        }
        let mark = Mark(id: makeID(), retryAt: now + Self.markTimeout)
        session = Session(
            start: start, expected: expected, isContinuation: isContinuation, mark: mark,
            checkBy: now + Self.checkPatience, idleSince: now)
        reason = "reading the catalog stream"
        return [.publishMark(id: mark.id)]
    }

    /// The subscription is gone, or could not be made. `reason` holds no secret.
    mutating func lost(_ reason: String) {
        session = nil
        basis = .served
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
            if let expected = session?.expected {
                guard LogPosition(offset: incoming.offset, messageID: incoming.messageID) == expected else {
                    batch = []
                    return (rebuild(), effects)
                }
                session?.expected = nil
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
    mutating func settle(now: Instant) -> (actions: [Action], effects: [CatalogEffect]) {
        var effects: [CatalogEffect] = []
        evaluate(&effects, now: now)
        return ([], effects)
    }

    /// The broker has confirmed the mark. It is still to be read back.
    mutating func markSent(id: String, now: Instant) {
        guard let current = session, current.mark.id == id else { return }
        session?.mark.hasFailed = false
        session?.checkBy = min(current.checkBy, now + Self.patience)
    }

    mutating func markFailed(id: String, now: Instant) {
        guard session?.mark.id == id else { return }
        session?.mark.hasFailed = true
        session?.mark.retryAt = now + Self.markRetry
    }

    /// When `tick` is due next; nil: when something else happens.
    var nextDeadline: Instant? {
        guard let session else { return nil }
        var times: [Instant] = []
        if session.expected != nil { times.append(session.checkBy) }
        if !session.mark.isSeen { times.append(session.mark.retryAt) }
        if canStandIn(session) { times.append(session.idleSince + Self.patience) }
        if isIncomplete {
            if let requestAt = session.requestAt { times.append(requestAt) }
            if let since = session.pastBarrierSince, (aside ?? catalog).completeness.hasRecords {
                times.append(since + Self.listPatience)
            }
        }
        return times.min()
    }

    /// Time has passed.
    mutating func tick(now: Instant) -> (actions: [Action], effects: [CatalogEffect]) {
        guard let current = session else { return ([], []) }
        let isIdle = canStandIn(current) && now >= current.idleSince + Self.patience
        if current.expected != nil, now >= current.checkBy || isIdle { return (rebuild(), []) }
        var actions: [Action] = []
        var effects: [CatalogEffect] = []
        if isIdle { passBarrier(now) }
        evaluate(&effects, now: now)
        if isIncomplete, let requestAt = session?.requestAt, now >= requestAt {
            session?.requestAt = now + Self.requestRetry
            if (aside ?? catalog).completeness.hasCheckpoint { actions.append(.requestCatalog) }
        }
        if !current.mark.isSeen, now >= current.mark.retryAt {
            session?.mark.retryAt = now + Self.markTimeout
            actions.append(.publishMark(id: current.mark.id))
        }
        return (actions, effects)
    }

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

    // MARK: How it decides

    /// Past the barrier, and something is missing that others may have.
    private var isIncomplete: Bool {
        session?.isPastBarrier == true && session?.isContinuation == false && (aside != nil || !isReady)
    }

    private func canStandIn(_ session: Session) -> Bool { !session.isPastBarrier && session.mark.hasFailed }

    private mutating func passBarrier(_ now: Instant) {
        guard session?.isPastBarrier == false else { return }
        session?.pastBarrierSince = now
        session?.requestAt = now + Self.requestDelay
    }

    private mutating func apply(
        _ incoming: Incoming, _ effects: inout [CatalogEffect], now: Instant, wallClock: Int64
    ) {
        let isLive = session?.isPastBarrier ?? false
        if aside != nil {
            let found = incoming.message.flatMap { aside?.apply($0, at: incoming.offset) } ?? []
            aside?.skip(incoming.offset)
            asideProgress.note(incoming)
            asideFreshness.note(incoming.message, isLive: isLive, now: now, wallClock: wallClock)
            if isLive { effects += found }
        } else {
            let found = incoming.message.map { catalog.apply($0, at: incoming.offset) } ?? []
            catalog.skip(incoming.offset)
            progress.note(incoming)
            freshness.note(incoming.message, isLive: isLive, now: now, wallClock: wallClock)
            if isLive {
                effects += found
            } else if isReady {
                // Before the catalog is complete nobody can act on what is replayed, and afterwards all of it is looked at.
                effects += found.filter { !$0.isMomentary }
            }
        }
        if case .syncMark(let mark)? = incoming.message, mark.id == session?.mark.id {
            session?.mark.isSeen = true
            passBarrier(now)
        }
    }

    /// Past the barrier of a session that builds a catalog: is what was read enough?
    private mutating func evaluate(_ effects: inout [CatalogEffect], now: Instant) {
        guard isIncomplete, let since = session?.pastBarrierSince else { return }
        let completeness = (aside ?? catalog).completeness
        guard completeness.hasRecords,
            need == .records || completeness.missingLists == 0 || now >= since + Self.listPatience
        else { return }
        if let new = aside {
            guard let version = new.version, let old = catalog.version, version > old,
                need == .records || !new.lacksSnapshots(of: catalog)
            else { return }
            effects += new.differences(from: catalog)
            catalog = new
            freshness = asideFreshness
            progress = asideProgress
            aside = nil
        } else {
            if let version = catalog.version { effects.append(.checkpoint(version)) }
            effects.append(.modelsChanged)
        }
        isReady = true
    }

    /// The stream does not hold what the session was to go on from.
    private mutating func rebuild() -> [Action] {
        if session?.isContinuation == true {
            basis = .image
            reason = "the catalog stream is not the one that was followed, or no longer holds what was applied last"
        } else {
            basis = .nothing
            reason = "the newest image is not of this catalog stream: reading all of the stream"
        }
        build(on: Catalog())
        session = nil
        return [.resubscribe]
    }

    /// Begins a new catalog: aside if there is one that is served.
    private mutating func build(on base: Catalog) {
        if isReady {
            aside = base
            asideProgress = LogProgress()
            asideFreshness = Freshness()
        } else {
            catalog = base
            progress = LogProgress()
            freshness = Freshness()
        }
    }
}

extension LogProgress {
    fileprivate mutating func note(_ incoming: FollowerMachine.Incoming) {
        position = LogPosition(offset: incoming.offset, messageID: incoming.messageID)
        bytes += incoming.size
    }
}
