import AMQP
import Dispatch
import Logging
import Synchronization
import Testing

@testable import Catalog

/// A follower that is handed what would come from a broker.
///
/// One after another: they compute without a pause, and measure how long others wait.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FollowerViewTests {
    private static let checkpoint = Sample.checkpoint([(1, 1)], revision: 1)

    private static func follower() throws -> CatalogFollower {
        func connection(_ name: String) throws -> Connection {
            try Connection(
                configuration: ConnectionConfiguration(urls: ["amqp://127.0.0.1:1"], name: name),
                topology: Topology(exchanges: [], queues: [], bindings: []),
                logger: Logger(label: name, factory: { _ in SwiftLogNoOpLogHandler() }))
        }
        return CatalogFollower(
            brokerMap: BrokerMap(namespace: "t"), consuming: try connection("consuming"),
            publishing: try connection("publishing"), configuration: CatalogFollower.Configuration(),
            logger: Logger(label: "follower", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private static func incoming(_ messages: [CatalogMessage], from offset: Int) -> [FollowerMachine.Incoming] {
        messages.enumerated().map { place, message in
            FollowerMachine.Incoming(offset: Int64(offset + place), messageID: "m\(offset + place)", message: message)
        }
    }

    /// Subscribed and past its barrier, with `messages` applied.
    private static func ready(_ messages: [CatalogMessage]) throws -> CatalogFollower {
        let follower = try follower()
        let actions = follower.state.withLock { $0.machine.subscribedWithoutImage() }
        guard case .publishMark(let id)? = actions.first else { return follower }
        let batch = incoming(messages + [checkpoint, .syncMark(SyncMark(id: id))], from: 0)
        _ = follower.handle(FollowerInbox.Content(), batch)
        return follower
    }

    /// Every tenth brings another list.
    private static func polls(_ count: Int) -> [CatalogMessage] {
        (0..<count).map { place in
            let models = place % 10 == 0 ? (0..<8).map { "m\((place + $0 * 7) % 400)" } : nil
            return Sample.batch(Sample.row(1, generation: 1, tick: Int64(place + 2), models: models))
        }
    }

    private static let registry = [
        Sample.created(1, revision: 1), Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["m"])),
    ]

    /// Applies `batch` on a thread that no task needs.
    private static func handle(_ batch: [FollowerMachine.Incoming], by follower: CatalogFollower) async -> Duration {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let start = ContinuousClock.now
                _ = follower.handle(FollowerInbox.Content(), batch)
                continuation.resume(returning: start.duration(to: .now))
            }
        }
    }

    @Test func nothingIsServedBeforeTheCatalogIsComplete() throws {
        let follower = try Self.follower()
        #expect(!follower.view.readiness.isReady)
        _ = follower.state.withLock { $0.machine.subscribedWithoutImage() }
        _ = follower.handle(FollowerInbox.Content(), Self.incoming(Self.registry, from: 0))
        #expect(follower.read { $0.endpoints.count } == 1)
        #expect(follower.view.holders(of: "m").holders.isEmpty)
        #expect(!follower.view.readiness.isReady && follower.view.readiness == follower.readiness)
    }

    @Test func aViewIsPublishedAfterEachBatch() throws {
        let follower = try Self.ready(Self.registry)
        let first = follower.view
        #expect(first.readiness.isReady && first.readiness == follower.readiness)
        #expect(first.holders(of: "m").holders.count == 1 && first === follower.view)
        #expect(first.age(at: .now) != nil)
        let row = Sample.row(1, generation: 1, tick: 2, models: ["m", "n"])
        _ = follower.handle(FollowerInbox.Content(), Self.incoming([Sample.batch(row)], from: 4))
        let second = follower.view
        #expect(second !== first && second.holders(of: "n").holders.count == 1)
        #expect(String(decoding: second.list.bytes, as: UTF8.self).contains(#""id":"n""#))
        #expect(second.version?.offset == 4)
    }

    /// The list's lines are encoded and joined only for those who ask.
    @Test func whoAsksForNoViewPaysForNone() throws {
        let follower = try Self.ready(Self.registry)
        #expect(follower.published.withLock { $0 == nil })
        #expect(follower.read { $0.changes.base } == 0)
    }

    @Test func aLostSessionShowsInTheView() throws {
        let follower = try Self.ready(Self.registry)
        #expect(follower.view.readiness.isCurrent && follower.view.readiness.reason == nil)
        follower.change { $0.lost("gone") }
        #expect(!follower.view.readiness.isCurrent && follower.view.readiness.reason == "gone")
        #expect(follower.view.holders(of: "m").holders.count == 1)
        let step = follower.change { $0.begin() }
        #expect(step == .subscribe(.resume(at: 3)))
        follower.change { _ = $0.subscribed(.resume(at: 3), now: .now) }
        #expect(follower.view.readiness == follower.readiness && follower.view.readiness.reason != "gone")
    }

    @Test func stoppingShowsInTheView() async throws {
        let follower = try Self.ready(Self.registry)
        #expect(follower.view.readiness.isCurrent)
        let running = Task { try await follower.run() }
        running.cancel()
        try await running.value
        #expect(!follower.view.readiness.isCurrent && follower.view.readiness.isReady)
        #expect(follower.view.readiness == follower.readiness)
        #expect(follower.view.holders(of: "m").holders.count == 1)
    }

    /// `modelsChanged` is told only if the bytes of the list are others.
    @Test func aListThatCameOutTheSameIsNoChange() async throws {
        let follower = try Self.ready(Self.registry)
        let etag = follower.view.list.etag
        var effects = follower.effects().makeAsyncIterator()
        let hidden = Sample.batch(Sample.row(2, generation: 2, tick: 2, models: ["hidden"], state: .offline))
        _ = follower.handle(
            FollowerInbox.Content(), Self.incoming([Sample.created(2, revision: 2), hidden], from: 4))
        #expect(await effects.next()?.contains(.modelsChanged) == false)
        #expect(follower.view.list.etag == etag)
        let shown = Sample.batch(Sample.row(2, generation: 2, tick: 3, models: nil, digest: "hidden"))
        _ = follower.handle(FollowerInbox.Content(), Self.incoming([shown], from: 6))
        #expect(await effects.next()?.contains(.modelsChanged) == true)
        #expect(follower.view.list.etag != etag)
    }

    /// The longest wait is measured against the time that the whole backlog takes, so a slow machine does not make the
    /// test fail. The machine may stop a reader for reasons of its own: one of three backlogs must show it.
    @Test func readersGetInWhileABacklogIsApplied() async throws {
        var found: [(longest: Duration, states: Int, total: Duration)] = []
        for _ in 0..<3 {
            let follower = try Self.ready(Self.registry)
            _ = follower.view
            let batch = Self.incoming(Self.polls(20_000), from: 4)
            let isDone = Mutex(false)
            async let reading = Self.longestRead(of: follower) { isDone.withLock { $0 } }
            let total = await Self.handle(batch, by: follower)
            isDone.withLock { $0 = true }
            let (longest, states) = await reading
            found.append((longest, states, total))
            if states > 10, longest * 4 < total { return }
        }
        Issue.record("longest wait, states seen, and time of the backlog: \(found)")
    }

    /// On a thread that no task needs. Also counts how many states of the catalog were seen.
    private static func longestRead(
        of follower: CatalogFollower, until isDone: @escaping @Sendable () -> Bool
    ) async -> (longest: Duration, states: Int) {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var longest = Duration.zero
                var seen = Set<Int64>()
                while !isDone() {
                    let start = ContinuousClock.now
                    seen.insert(follower.read { $0.highestTick })
                    longest = max(longest, start.duration(to: .now))
                }
                continuation.resume(returning: (longest, seen.count))
            }
        }
    }

    /// What a wait has given is in every view that is read after it.
    @Test func aWaitNeverRunsAheadOfTheView() async throws {
        let follower = try Self.ready(Self.registry)
        _ = follower.view
        let isDone = Mutex(false)
        async let ahead = Self.waitsAhead(of: follower) { isDone.withLock { $0 } }
        var offset = 4
        for part in 0..<40 {
            let batch = Self.incoming(Self.polls(40 * (part + 1)).suffix(400), from: offset)
            offset += batch.count
            _ = await Self.handle(batch, by: follower)
        }
        isDone.withLock { $0 = true }
        let found = await ahead
        #expect(found.ahead == 0, "\(found.ahead) of \(found.waits) waits")
        #expect(found.waits > 0)
    }

    private static func waitsAhead(
        of follower: CatalogFollower, until isDone: @Sendable () -> Bool
    ) async -> (ahead: Int, waits: Int) {
        var (ahead, waits) = (0, 0)
        while !isDone() {
            // Nothing to wait for: it is asked again only while the view is behind.
            let offset = await follower.wait(timeout: .milliseconds(200)) { $0.version?.offset }
            let shown = follower.view.version?.offset
            if let offset, shown.map({ $0 < offset }) ?? true { ahead += 1 }
            waits += 1
            await Task.yield()
        }
        return (ahead, waits)
    }
}

extension FollowerMachine {
    /// Begins its first session, which finds no image.
    fileprivate mutating func subscribedWithoutImage() -> [Action] {
        _ = begin()
        start(from: nil, now: .now, wallClock: 0)
        return subscribed(.first, now: .now)
    }
}
