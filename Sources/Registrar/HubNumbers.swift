import Catalog
import Logging
import ServiceLifecycle
import Synchronization

/// Keeps downloads and likes of registered models fresh, a few at a time, while this registrar is the active one.
final class HubNumbers: Service {
    /// Questions under way at once: few beside those of registrations. How many there are in all the Hub's quota says.
    static let limit = 4

    private let announcer: Announcer
    private let hub: any HubSource
    private let schedule: HubSchedule
    /// Whether this registrar is the active one still: another one asks the same questions otherwise.
    private let isActive: @Sendable () -> Bool
    private let wallClock: @Sendable () -> Int64
    private let logger: Logger
    private let inWork = Mutex<Set<String>>([])
    private let loop = WorkLoop()

    init(
        announcer: Announcer, hub: any HubSource, schedule: HubSchedule, isActive: @escaping @Sendable () -> Bool,
        logger: Logger, wallClock: @escaping @Sendable () -> Int64
    ) {
        self.announcer = announcer
        self.hub = hub
        self.schedule = schedule
        self.isActive = isActive
        self.logger = logger
        self.wallClock = wallClock
    }

    /// This registrar is the active one, and something may be due.
    func wake() { loop.wake() }

    /// Runs until graceful shutdown.
    ///
    /// - Throws: errors of a database that is damaged.
    func run() async throws {
        try await loop.run(find: due, work: look)
    }

    private func due() async throws -> [String] {
        guard isActive() else { return [] }
        let now = wallClock()
        let names = try await announcer.patience.until("what is due") {
            try await self.announcer.store.dueRegistrations(at: now, limit: Self.limit)
        }
        return inWork.withLock { inWork in
            names.filter { inWork.count < Self.limit && inWork.insert($0).inserted }
        }
    }

    private func look(at name: String) async throws {
        try await ask(about: name)
        _ = inWork.withLock { $0.remove(name) }
        wake()
    }

    private func ask(about name: String) async throws {
        let held = try await announcer.patience.until("a registration") {
            try await self.announcer.store.registration(named: name)
        }
        guard let record = held else { return }
        var answer: (info: HubInfo, commit: String)?
        do throws(Rejection) {
            answer = try await hub.live(repo: record.repo, revision: record.requestedRevision, now: wallClock())
        } catch {
            guard !Task.isCancelled else { return }
            logger.log(
                level: record.hub.isStale ? .debug : .warning, "The Hub does not answer for a registered model",
                metadata: ["model": "\(record.name)", "code": "\(error.error.code)"])
        }
        let found = answer
        let dueAt = schedule.next(after: wallClock())
        try await announcer.patience.until("live numbers") {
            try await self.announcer.store.updateHubInfo(record.name, found, dueAt: dueAt)
        }
        try await announcer.announce()
    }
}
