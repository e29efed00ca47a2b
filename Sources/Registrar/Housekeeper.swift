import Catalog
import Launch
import Logging

/// The active registrar's periodic work, and the question whether it may work at all.
actor Housekeeper {
    /// Of what the design says: a checkpoint at least each minute.
    static let checkpointInterval = Duration.seconds(60)
    /// So long may the follower take to read back what was published for it, before it is done once more.
    static let settlingTime = Duration.seconds(10)

    /// However many processes ask for it, everything is not announced more often.
    static let answerInterval = Duration.seconds(30)

    private let store: RegistryStore
    private let stream: any CatalogStream
    private let announcer: Announcer
    private let configured: ConfiguredEndpoints
    private let wallClock: @Sendable () -> Int64
    private let now: @Sendable () -> ContinuousClock.Instant
    private let logger: Logger

    /// Whether another registry's stream may still be taken over: once, so that two registrars that were both told to
    /// do so do not take it from each other for ever.
    private var mayAdopt: Bool
    private var lastCheckpoint: ContinuousClock.Instant?
    private var answered: (requests: Int, at: ContinuousClock.Instant?) = (0, nil)
    /// The registry's revision at which all configured endpoints were found settled.
    private var configuredAt: Int64?
    /// What was published for the stream's sake and has not been read back.
    private var settling: (incarnation: Int64, until: ContinuousClock.Instant)?

    /// - Parameters:
    ///   - wallClock: milliseconds since 1970.
    ///   - now: monotonic, for intervals.
    init(
        announcer: Announcer, configured: ConfiguredEndpoints, adopt: Bool, logger: Logger,
        wallClock: @escaping @Sendable () -> Int64, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        store = announcer.store
        stream = announcer.stream
        self.announcer = announcer
        self.configured = configured
        mayAdopt = adopt
        self.logger = logger
        self.wallClock = wallClock
        self.now = now
    }

    /// Forgets when things were done last: this registrar has not been the active one until now.
    func becomeActive() {
        lastCheckpoint = nil
        configuredAt = nil
    }

    /// Whether commands may be executed now; does first what the stream needs for it.
    ///
    /// - Throws: `ProcessExit` where the stream is another registry's.
    func admit() async throws -> Bool {
        // The order matters, see `RegistryDecision`.
        let view = stream.view
        let state = try await announcer.patience.until("the registry's state") { try await store.state() }
        let decision = RegistryDecision(stream: view, store: state, adopt: mayAdopt)
        if decision == .proceed {
            mayAdopt = false
            settling = nil
            return true
        }
        guard !isSettling(view) else { return false }
        try await act(on: decision, state)
        return false
    }

    private func isSettling(_ view: StreamView) -> Bool {
        guard let settling, now() < settling.until else { return false }
        return !view.isComplete || (view.incarnation ?? 0) < settling.incarnation
    }

    private func act(on decision: RegistryDecision, _ state: RegistryState) async throws {
        switch decision {
        case .wait, .proceed:
            return
        case .refuse(let registry):
            logger.error(
                "The catalog stream is another registry's",
                metadata: ["stream": "\(registry)", "database": "\(state.uuid)"])
            throw ProcessExit(
                code: 78,
                message: """
                    the catalog stream belongs to the registry \(registry), and this database is the registry \
                    \(state.uuid): set ROLLCALL_DATABASE_URL to the other's database or ROLLCALL_NAMESPACE to another \
                    name, or start once with --adopt, which removes the other's endpoints
                    """)
        case .beginIncarnation:
            let new = try await announcer.patience.until("a new incarnation") { try await store.beginIncarnation() }
            logger.notice(
                "The catalog stream is new: the whole registry is announced to it", metadata: describe(new))
            try await announceAnew(new)
        case .announceEverything:
            logger.notice(
                "The catalog stream lacks records: the whole registry is announced to it", metadata: describe(state))
            try await announceAnew(state)
        case .restamp(let highest, let incarnation):
            let new = try await announcer.patience.until("a new incarnation") {
                try await store.restamp(above: highest, incarnation: incarnation, showing: stream.records)
            }
            logger.warning(
                "The catalog stream is ahead of this database, or was another registry's: this database replaces what it says",
                metadata: describe(new))
            try await announceAnew(new)
        }
        mayAdopt = false
    }

    private func announceAnew(_ state: RegistryState) async throws {
        try await announcer.announceEverything()
        try await checkpoint()
        settling = (state.incarnation, now() + Self.settlingTime)
    }

    /// Does what is due. Called each second or so while active and admitted.
    func work() async throws {
        try await applyConfiguration()
        try await announcer.announce()
        try await answerRequests()
        if let lastCheckpoint, now() - lastCheckpoint < Self.checkpointInterval { return }
        try await checkpoint()
        try await announcer.patience.until("pruning") { try await store.prune(at: wallClock()) }
    }

    /// A process has started without an image, and the stream does not hold all records any more.
    private func answerRequests() async throws {
        let requests = stream.view.requests
        guard requests > answered.requests, answered.at.map({ now() - $0 >= Self.answerInterval }) ?? true else {
            return
        }
        answered = (requests, now())
        logger.notice("A process that starts lacks records: the whole registry is announced once more")
        try await announcer.announceEverything()
        try await checkpoint()
    }

    private func checkpoint() async throws {
        try await announcer.checkpoint(at: wallClock())
        lastCheckpoint = now()
    }

    private func applyConfiguration() async throws {
        guard !configured.entries.isEmpty else { return }
        let state = try await announcer.patience.until("the registry's state") { try await store.state() }
        guard state.revision != configuredAt else { return }
        let results = try await announcer.patience.until("configured endpoints") {
            try await store.apply(configured, at: wallClock())
        }
        for result in results { log(result) }
        configuredAt = try await announcer.patience.until("the registry's state") { try await store.state() }.revision
    }

    private func log(_ result: ConfiguredResult) {
        switch result {
        case .created(let name):
            logger.info("Endpoint made from ROLLCALL_ENDPOINTS", metadata: ["endpoint": "\(name)"])
        case .differs(let name, let baseURL):
            logger.warning(
                "An entry of ROLLCALL_ENDPOINTS differs from the endpoint of that name, which is left as it is",
                metadata: ["endpoint": "\(name)", "base_url": "\(baseURL)"])
        case .refused(let name, let code):
            logger.warning(
                "An entry of ROLLCALL_ENDPOINTS cannot be made", metadata: ["endpoint": "\(name)", "code": "\(code)"])
        }
    }

    private func describe(_ state: RegistryState) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["registry": "\(state.uuid)", "incarnation": "\(state.incarnation)"]
        if state.revision > 0 { metadata["revision"] = "\(state.revision)" }
        return metadata
    }
}
