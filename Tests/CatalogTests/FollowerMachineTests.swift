import TestSupport
import Testing

@testable import Catalog

@Suite struct FollowerMachineTests {
    private typealias Machine = FollowerMachine
    private let start = ContinuousClock.now

    private func machine() -> Machine { Machine(refreshInterval: .seconds(300)) { "mark" } }

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func incoming(_ messages: [CatalogMessage], from offset: Int64 = 0) -> [Machine.Incoming] {
        messages.enumerated().map { index, message in
            let offset = offset + Int64(index)
            return Machine.Incoming(offset: offset, messageID: "m\(offset)", message: message)
        }
    }

    private let mark = CatalogMessage.syncMark(SyncMark(id: "mark"))
    private let complete = [
        Sample.created(1, revision: 1), Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["m"])),
        Sample.checkpoint([(1, 1)], revision: 1),
    ]

    /// A machine that has read `complete` and its mark, at offsets 0–3.
    private func ready() -> Machine {
        var machine = machine()
        _ = machine.subscribed(machine.begin(), now: at(0))
        _ = machine.received(incoming(complete + [mark]), now: at(0), wallClock: 2000)
        return machine
    }

    @Test func coldStartReadsAWindowAndIsReadyAtItsMark() {
        var machine = machine()
        let from = machine.begin()
        #expect(from == .window(seconds: 660))
        #expect(machine.subscribed(from, now: at(0)) == [.publishMark(id: "mark")])
        var result = machine.received(incoming(complete), now: at(0), wallClock: 2000)
        #expect(result.actions.isEmpty)
        #expect(!machine.readiness.isReady)
        #expect(!machine.readiness.isCurrent)
        result = machine.received(incoming([mark], from: 3), now: at(0), wallClock: 2000)
        #expect(result.actions.isEmpty)
        #expect(machine.readiness.isReady)
        #expect(machine.readiness.isCurrent)
        #expect(machine.readiness.reason == nil)
        #expect(machine.catalog.version == CatalogVersion(incarnation: 1, offset: 3))
    }

    @Test func anotherMarkIsNoBarrier() {
        var machine = machine()
        _ = machine.subscribed(machine.begin(), now: at(0))
        let other = CatalogMessage.syncMark(SyncMark(id: "other"))
        _ = machine.received(incoming(complete + [other]), now: at(0), wallClock: 2000)
        #expect(!machine.readiness.isReady)
    }

    @Test(arguments: [[0, 1], [1, 2], [0, 2]])
    func whereTheWindowDoesNotSufficeAllIsRead(parts: [Int]) {
        var machine = machine()
        _ = machine.subscribed(machine.begin(), now: at(0))
        let some = parts.map { complete[$0] }
        let result = machine.received(incoming(some + [mark], from: 10), now: at(0), wallClock: 2000)
        #expect(result.actions == [.resubscribe])
        #expect(!machine.readiness.isReady)
        let from = machine.begin()
        #expect(from == .first)
        #expect(machine.subscribed(from, now: at(0)) == [.publishMark(id: "mark")])
        _ = machine.received(incoming(complete + [mark]), now: at(0), wallClock: 2000)
        #expect(machine.readiness.isReady)
    }

    @Test func anEndpointWithoutSnapshotInTheWholeLogIsPending() {
        var machine = machine()
        for _ in 0..<2 {
            _ = machine.subscribed(machine.begin(), now: at(0))
            _ = machine.received(incoming([complete[0], complete[2], mark]), now: at(0), wallClock: 2000)
        }
        #expect(machine.readiness.isReady)
        #expect(machine.catalog.endpoints.map(\.state) == [.pending])
    }

    @Test func aStreamWithoutCheckpointIsNotReadyUntilOneComes() {
        var machine = machine()
        for _ in 0..<2 {
            #expect(!machine.readiness.lacksCheckpoint)
            _ = machine.subscribed(machine.begin(), now: at(0))
            _ = machine.received(incoming([mark]), now: at(0), wallClock: 2000)
        }
        #expect(machine.readiness.lacksCheckpoint)
        #expect(machine.readiness.isCurrent)
        #expect(!machine.readiness.isReady)
        #expect(machine.readiness.reason != nil)
        let records = Array(complete[...0])
        _ = machine.received(incoming([complete[2]], from: 1), now: at(1), wallClock: 2000)
        #expect(!machine.readiness.isReady)
        #expect(!machine.readiness.lacksCheckpoint)
        let result = machine.received(incoming(records, from: 2), now: at(1), wallClock: 2000)
        #expect(machine.readiness.isReady)
        #expect(result.effects.contains(.modelsChanged))
    }

    @Test func whereNothingCanBePublishedAnIdleStreamStandsIn() {
        var machine = machine()
        _ = machine.subscribed(machine.begin(), now: at(0))
        _ = machine.received(incoming(complete), now: at(1), wallClock: 2000)
        #expect(machine.tick(now: at(3.5)).actions.isEmpty)
        #expect(!machine.readiness.isReady)
        machine.markFailed(id: "mark", now: at(3.5))
        _ = machine.received(incoming([complete[1]], from: 3), now: at(3.6), wallClock: 2000)
        #expect(machine.tick(now: at(5)).actions == [.publishMark(id: "mark")])
        #expect(!machine.readiness.isReady)
        _ = machine.tick(now: at(5.7))
        #expect(machine.readiness.isReady)
        #expect(machine.readiness.isCurrent)
        #expect(machine.readiness.isUnconfirmed)
        _ = machine.received(incoming([mark], from: 4), now: at(9), wallClock: 2000)
        #expect(!machine.readiness.isUnconfirmed)
    }

    @Test func aMarkThatIsOnItsWayIsWaitedForHoweverIdleTheStream() {
        var machine = machine()
        _ = machine.subscribed(machine.begin(), now: at(0))
        _ = machine.received(incoming(complete), now: at(0), wallClock: 2000)
        machine.markFailed(id: "mark", now: at(1))
        machine.markSent(id: "mark")
        _ = machine.tick(now: at(60))
        #expect(!machine.readiness.isReady)
    }

    @Test func resumeTakesTheFirstDeliveryAsProofAndDoesNotApplyItTwice() {
        var machine = ready()
        machine.lost("connection lost")
        #expect(machine.readiness.isReady)
        #expect(!machine.readiness.isCurrent)
        #expect(machine.readiness.reason == "connection lost")
        let from = machine.begin()
        #expect(from == .resume(at: 3))
        #expect(machine.subscribed(from, now: at(10)) == [.publishMark(id: "mark")])
        #expect(machine.nextDeadline == at(12))
        // The first is the mark of the session before: were it applied, it would be taken for this one's.
        var result = machine.received(incoming([mark], from: 3), now: at(10), wallClock: 2000)
        #expect(result.actions.isEmpty)
        #expect(!machine.readiness.isCurrent)
        let row = Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["n"]))
        result = machine.received(incoming([row, mark], from: 4), now: at(10), wallClock: 2000)
        #expect(result.effects.contains(.modelsChanged))
        #expect(machine.readiness.isCurrent)
        #expect(!machine.readiness.publishInFull)
        #expect(machine.catalog.version?.offset == 5)
    }

    @Test(arguments: [(3, "other"), (4, "m4"), (2, "m2")])
    func anotherFirstDeliveryMeansAnotherStream(offset: Int64, messageID: String) {
        var machine = ready()
        machine.lost("connection lost")
        _ = machine.subscribed(machine.begin(), now: at(10))
        let delivery = Machine.Incoming(offset: offset, messageID: messageID, message: mark)
        #expect(machine.received([delivery], now: at(10), wallClock: 2000).actions == [.resubscribe])
        #expect(machine.readiness.publishInFull)
        #expect(machine.begin() == .window(seconds: 660))
    }

    @Test func aNewStreamIsReadAsideAndSwappedInWhenComplete() {
        var machine = ready()
        machine.lost("connection lost")
        _ = machine.subscribed(machine.begin(), now: at(10))
        #expect(machine.tick(now: at(11.9)).actions.isEmpty)
        #expect(machine.tick(now: at(12)).actions == [.resubscribe])
        _ = machine.subscribed(machine.begin(), now: at(12))
        #expect(machine.received(incoming([mark]), now: at(12), wallClock: 2000).actions == [.resubscribe])
        _ = machine.subscribed(machine.begin(), now: at(12))
        _ = machine.received(incoming([mark]), now: at(12), wallClock: 2000)
        #expect(machine.readiness.lacksCheckpoint)
        #expect(machine.readiness.isReady)
        #expect(machine.readiness.isCurrent)
        #expect(machine.readiness.publishInFull)
        #expect(machine.catalog.endpoints.count == 1)
        // The same incarnation and a lower offset is no successor of what is served.
        let older = [Sample.created(2, revision: 2), Sample.checkpoint([(2, 2)], revision: 2)]
        _ = machine.received(incoming(older, from: 1), now: at(13), wallClock: 2000)
        #expect(machine.catalog.endpoints.map(\.record.name) == ["e1"])
        let checkpoint = Sample.checkpoint([(2, 2)], revision: 2, incarnation: 2)
        let result = machine.received(incoming([checkpoint], from: 3), now: at(13), wallClock: 2000)
        #expect(machine.catalog.endpoints.map(\.record.name) == ["e2"])
        #expect(!machine.readiness.publishInFull)
        #expect(machine.readiness.reason == nil)
        #expect(result.effects.contains(.endpointRecordChanged(id: Sample.id(1))))
        #expect(result.effects.contains(.endpointRecordChanged(id: Sample.id(2))))
        #expect(result.effects.contains(.modelsChanged))
        machine.lost("again")
        #expect(machine.begin() == .resume(at: 3))
    }

    @Test func aNewStreamIsNotSwappedInBeforeItHasTheSnapshotsThatAreServed() {
        var machine = ready()
        machine.lost("connection lost")
        _ = machine.subscribed(machine.begin(), now: at(10))
        #expect(machine.tick(now: at(12)).actions == [.resubscribe])
        for _ in 0..<2 {
            _ = machine.subscribed(machine.begin(), now: at(12))
            _ = machine.received(incoming([mark]), now: at(12), wallClock: 2000)
        }
        let records = [Sample.created(1, revision: 1), Sample.checkpoint([(1, 1)], revision: 1, incarnation: 2)]
        _ = machine.received(incoming(records, from: 1), now: at(13), wallClock: 2000)
        #expect(machine.readiness.publishInFull)
        #expect(machine.catalog.version?.incarnation == 1)
        _ = machine.received(incoming([complete[1]], from: 3), now: at(14), wallClock: 2000)
        #expect(!machine.readiness.publishInFull)
        #expect(machine.catalog.version == CatalogVersion(incarnation: 2, offset: 3))
    }

    /// Slices of any size end as the whole batch does, with the same effects and actions in the same order.
    @Test(arguments: 700..<720 as Range<UInt64>)
    func aBatchMayBeReceivedInSlices(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var log = SimulatedSenders(steps: 20, pollers: 2, using: &generator).interleaved(using: &generator)
        log.insert(mark, at: Int.random(in: 0...log.count, using: &generator))
        for place in 0..<5 { log.insert(.pollRequested(PollRequest(endpoint: "e\(place)", reason: "")), at: place * 9) }
        var (whole, sliced) = (machine(), machine())
        var from = whole.begin()
        #expect(sliced.begin() == from)
        for _ in 0..<2 {
            #expect(whole.subscribed(from, now: at(0)) == sliced.subscribed(from, now: at(0)))
            let expected = whole.received(incoming(log), now: at(0), wallClock: 2000)
            var rest = incoming(log)[...]
            var effects: [CatalogEffect] = []
            var actions: [Machine.Action] = []
            while !rest.isEmpty {
                var left = Int.random(in: 1...20, using: &generator)
                let result = sliced.receive(
                    &rest,
                    until: {
                        left -= 1
                        return left == 0
                    }, now: at(0), wallClock: 2000)
                effects += result.effects
                actions += result.actions
            }
            let settled = sliced.settle()
            #expect(effects + settled.effects == expected.effects, "seed \(seed)")
            #expect(actions + settled.actions == expected.actions, "seed \(seed)")
            #expect(sliced.readiness == whole.readiness && sliced.catalog.endpoints == whole.catalog.endpoints)
            guard expected.actions == [.resubscribe] else { break }
            from = whole.begin()
            #expect(sliced.begin() == from)
        }
    }

    @Test func whatIsNotUnderstoodCountsAsApplied() {
        var machine = ready()
        let unknown = Machine.Incoming(offset: 4, messageID: "m4", message: nil)
        _ = machine.received([unknown], now: at(1), wallClock: 2000)
        #expect(machine.catalog.version?.offset == 4)
        machine.lost("connection lost")
        #expect(machine.begin() == .resume(at: 4))
    }

    @Test func requestsFromBeforeAColdStartAreNotPassedOn() {
        var machine = machine()
        _ = machine.subscribed(machine.begin(), now: at(0))
        let request = CatalogMessage.pollRequested(PollRequest(endpoint: "e", reason: "asked"))
        let before = machine.received(incoming([request] + complete + [mark]), now: at(0), wallClock: 2000)
        #expect(!before.effects.contains(.pollRequested(id: "e")))
        let after = machine.received(incoming([request], from: 5), now: at(0), wallClock: 2000)
        #expect(after.effects == [.pollRequested(id: "e")])
    }

    @Test func ageComesFromWhatIsKnownToBeCurrent() {
        var machine = machine()
        #expect(machine.age(at(0)) == nil)
        _ = machine.subscribed(machine.begin(), now: at(0))
        // Made at 1000 ms, read at 31,000 ms: 30 s old. A refresh does not count, nor does the future.
        let refresh = CatalogMessage.refresh(
            Refresh(snapshots: [Sample.row(1, generation: 1, tick: 25_000, models: ["m"])]))
        let future = Sample.batch(Sample.row(1, generation: 1, tick: 99_000, models: nil, digest: "m"))
        _ = machine.received(incoming(complete + [refresh, future]), now: at(0), wallClock: 31_000)
        #expect(machine.age(at(0)) == .seconds(30))
        #expect(machine.age(at(5)) == .seconds(35))
        _ = machine.received(incoming([mark], from: 5), now: at(6), wallClock: 37_000)
        #expect(machine.age(at(6)) == .seconds(36))
        _ = machine.received(incoming([refresh], from: 6), now: at(7), wallClock: 38_000)
        #expect(machine.age(at(7)) == .seconds(37))
        _ = machine.received(incoming([complete[1]], from: 7), now: at(8), wallClock: 39_000)
        #expect(machine.age(at(9)) == .seconds(1))
    }

    @Test func aMarkIsPublishedAgainUntilItIsRead() {
        var machine = machine()
        _ = machine.subscribed(machine.begin(), now: at(0))
        #expect(machine.tick(now: at(4.9)).actions.isEmpty)
        #expect(machine.tick(now: at(5)).actions == [.publishMark(id: "mark")])
        #expect(machine.nextDeadline == at(10))
        _ = machine.received(incoming(complete + [mark]), now: at(6), wallClock: 2000)
        #expect(machine.nextDeadline == nil)
        #expect(machine.tick(now: at(60)).actions.isEmpty)
    }
}

extension FollowerMachine {
    /// Receives all of `batch` at once.
    fileprivate mutating func received(
        _ batch: [Incoming], now: Instant, wallClock: Int64
    ) -> (actions: [Action], effects: [CatalogEffect]) {
        var rest = batch[...]
        let (actions, effects) = receive(&rest, until: { false }, now: now, wallClock: wallClock)
        let settled = settle()
        return (actions + settled.actions, effects + settled.effects)
    }
}
