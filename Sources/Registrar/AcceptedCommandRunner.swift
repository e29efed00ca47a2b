import Catalog
import Logging
import ServiceLifecycle
import Synchronization

/// Does the work of accepted commands: those that have to ask the Hub or the fleet.
///
/// What is accepted is in the database, so a registrar that takes over goes on with it, and one that was taken for dead
/// finds, when it is done, that there is an outcome already.
final class AcceptedCommandRunner: Service {
    /// Has the model `name` verified under `number`, telling each step; see `FleetVerification`.
    typealias Verification =
        @Sendable (
            _ name: String, _ number: Int64, _ progress: @Sendable (String) async -> Void
        ) async throws(Rejection) -> Void

    /// An accepted command that could not be begun for so long, because no registrar was there, is not done any more.
    static let lifetime: Int64 = 600_000

    private let announcer: Announcer
    private let hub: any HubSource
    private let verify: Verification
    private let failpoint: FailpointHandler
    private let schedule: HubSchedule
    private let wallClock: @Sendable () -> Int64
    private let logger: Logger
    private let queue = Mutex(AcceptedCommandQueue())
    private let loop = WorkLoop()

    init(
        announcer: Announcer, hub: any HubSource, verify: @escaping Verification, failpoint: @escaping FailpointHandler,
        schedule: HubSchedule, logger: Logger, wallClock: @escaping @Sendable () -> Int64
    ) {
        self.announcer = announcer
        self.hub = hub
        self.verify = verify
        self.failpoint = failpoint
        self.schedule = schedule
        self.logger = logger
        self.wallClock = wallClock
    }

    /// This registrar has not been the active one until now.
    func becomeActive() { queue.withLock { $0.begin() } }

    /// Another one is, or none: what is in work is finished, and nothing more is begun.
    func standDown() { queue.withLock { $0.end() } }

    /// This registrar is the active one, and there may be something to do.
    func wake() { loop.wake() }

    /// Runs until graceful shutdown. What is in work then is left to the registrar that comes next.
    ///
    /// - Throws: errors of a database that is damaged.
    func run() async throws {
        try await loop.run(find: startable, work: work)
    }

    private func startable() async throws -> [AcceptedCommandQueue.Entry] {
        guard let seen = queue.withLock({ $0.isActive ? $0.seenThrough : nil }) else { return [] }
        let new = try await announcer.patience.until("accepted commands") {
            try await self.announcer.store.accepted(above: seen)
        }
        let entries = new.map { AcceptedCommandQueue.Entry(command: $0, key: key(of: $0)) }
        return queue.withLock { queue in
            queue.add(entries)
            return queue.start()
        }
    }

    private func key(of command: AcceptedCommand) -> String {
        switch command.work {
        case .register(let request): "record \(hub.name(of: request) ?? command.id)"
        // It changes nothing, so that any number of them can be in work.
        case .preview: "preview \(command.id)"
        case .refresh(let name, _): "record \(name)"
        case .verify(let name): "verify \(name)"
        }
    }

    private func work(on entry: AcceptedCommandQueue.Entry) async throws {
        let ending = await TraceContext.$current.withValue(entry.command.trace) {
            await self.ending(of: entry.command)
        }
        guard !Task.isCancelled else { return }
        // Not cancelled with this task: what has an ending is written down and announced also at a stop.
        try await Task { try await self.settle(entry, ending) }.value
        wake()
    }

    private func settle(_ entry: AcceptedCommandQueue.Entry, _ ending: RegistryStore.Ending) async throws {
        var commands = [entry.command]
        if case .verify = entry.command.work {
            commands += queue.withLock { $0.join(entry.key) }
        }
        for command in commands { try await finish(command, ending) }
        try await announcer.announce()
        try failpoint(.afterAnnounce)
        queue.withLock { $0.finish(entry) }
    }

    private func finish(_ command: AcceptedCommand, _ ending: RegistryStore.Ending) async throws {
        let now = wallClock()
        let dueAt = schedule.next(after: now)
        let operation = try await announcer.patience.until("an outcome") {
            try await self.announcer.store.finish(command, ending, at: now, dueAt: dueAt)
        }
        try failpoint(.afterCommit)
        logger.info(
            "An accepted command is done",
            metadata: Logger.Metadata(outcome: operation, of: command.id, command.trace))
    }

    private func ending(of command: AcceptedCommand) async -> RegistryStore.Ending {
        guard wallClock() - command.at <= Self.lifetime else { return .rejected(.expired) }
        do throws(Rejection) {
            switch command.work {
            case .register(let request): return try await register(request, for: command)
            case .preview(let request):
                return .previewed(
                    try await hub.record(for: request, now: wallClock()) { await self.tell($0, of: command) })
            case .refresh(let name, let isApplied):
                return try await refresh(name, isApplied: isApplied, for: command)
            case .verify(let name):
                try await verify(name, command.revision) { await self.tell($0, of: command) }
                return .verified
            }
        } catch {
            return .rejected(error)
        }
    }

    private func register(
        _ request: RegistrationRequest, for command: AcceptedCommand
    ) async throws(Rejection) -> RegistryStore.Ending {
        if let name = hub.name(of: request), try await held(name) != nil { throw Rejection.alreadyRegistered(name) }
        return .registered(
            try await hub.record(for: request, now: wallClock()) { await self.tell($0, of: command) })
    }

    private func refresh(
        _ name: String, isApplied: Bool, for command: AcceptedCommand
    ) async throws(Rejection) -> RegistryStore.Ending {
        guard let held = try await held(name) else { throw Rejection.modelNotRegistered }
        let found = try await hub.record(for: held.request, now: wallClock()) { await self.tell($0, of: command) }
        guard found.name == name else { throw Rejection.repositoryRenamed(to: found.repo) }
        return .lookedAt(found, isApplied: isApplied)
    }

    /// The registration as it is in the database; nil if there is none.
    private func held(_ name: String) async throws(Rejection) -> RegistrationRecord? {
        do {
            return try await announcer.patience.until("a registration") {
                try await self.announcer.store.registration(named: name)
            }
        } catch is CancellationError {
            throw .hubLookupCancelled
        } catch {
            logger.error(
                "A registration cannot be read from the database", metadata: ["model": "\(name)", "error": "\(error)"])
            throw .unreadable
        }
    }

    /// Lets every gateway know how far it is. One that does not come through is made up for by the next.
    private func tell(_ step: String, of command: AcceptedCommand) async {
        await announcer.tell(command.pending(step: step, at: wallClock()))
    }
}

extension RegistrationRecord {
    /// What was asked for when it was registered.
    fileprivate var request: RegistrationRequest {
        RegistrationRequest(
            repo: repo, filename: requestedFilename, quantization: requestedQuantization, revision: requestedRevision,
            displayName: displayName, chatTemplate: hasOwnChatTemplate ? chatTemplate : nil)
    }
}
