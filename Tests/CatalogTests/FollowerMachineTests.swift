import TestSupport
import Testing

@testable import Catalog

@Suite struct FollowerMachineTests {
    private typealias Machine = FollowerMachine
    private let start = ContinuousClock.now

    private func machine() -> Machine { Machine { "mark" } }

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

    /// Begins a session, on `image` if the machine asks for one.
    private func begin(
        _ machine: inout Machine, _ image: CatalogImage.Content? = nil, at seconds: Double = 0,
        expecting expected: Machine.Start? = nil, _ location: SourceLocation = #_sourceLocation
    ) {
        var step = machine.begin()
        if step == .readImage {
            machine.start(from: image, now: at(seconds), wallClock: 2000)
            step = machine.begin()
        }
        guard case .subscribe(let start) = step else {
            Issue.record("\(step)", sourceLocation: location)
            return
        }
        if let expected { #expect(start == expected, sourceLocation: location) }
        let actions = machine.subscribed(start, now: at(seconds))
        #expect(actions == [.publishMark(id: "mark")], sourceLocation: location)
    }

    /// An image of `log`, which stands at offsets from 0.
    private func image(_ log: [CatalogMessage]) throws -> CatalogImage.Content {
        let last = Int64(log.count - 1)
        return try CatalogImage.content(
            of: CatalogImage(of: Catalog(log).imageSource, at: LogPosition(offset: last, messageID: "m\(last)")).parts)
    }

    /// A machine that has read `complete` and its mark, at offsets 0–3.
    private func ready() -> Machine {
        var machine = machine()
        begin(&machine)
        _ = machine.received(incoming(complete + [mark]), now: at(0), wallClock: 2000)
        return machine
    }

    @Test func withoutAnImageAllIsReadAndItIsReadyAtItsMark() {
        var machine = machine()
        begin(&machine, expecting: .first)
        var result = machine.received(incoming(complete), now: at(0), wallClock: 2000)
        #expect(result.actions.isEmpty)
        #expect(!machine.readiness.isReady)
        #expect(!machine.readiness.isCurrent)
        #expect(machine.imageProgress == nil)
        result = machine.received(incoming([mark], from: 3), now: at(0), wallClock: 2000)
        #expect(result.effects == [.checkpoint(CatalogVersion(incarnation: 1, offset: 3)), .modelsChanged])
        #expect(machine.readiness.isReady)
        #expect(machine.readiness.isCurrent)
        #expect(machine.readiness.reason == nil)
        #expect(machine.catalog.version == CatalogVersion(incarnation: 1, offset: 3))
        #expect(machine.imageProgress == LogProgress(position: LogPosition(offset: 3, messageID: "m3"), bytes: 0))
    }

    @Test func anImageIsGoneOnFrom() throws {
        var machine = machine()
        let image = try image(complete)
        begin(&machine, image, expecting: .resume(at: 2))
        #expect(machine.nextDeadline == at(5))
        var next = incoming([complete[2], Sample.created(2, revision: 2), mark], from: 2)
        next[1].size = 70
        next[2].size = 30
        let result = machine.received(next, now: at(0), wallClock: 2000)
        #expect(result.actions.isEmpty)
        #expect(machine.readiness.isReady && machine.readiness.isCurrent)
        #expect(machine.catalog.endpoints.map(\.record.name) == ["e1", "e2"])
        #expect(
            machine.imageProgress
                == LogProgress(
                    position: LogPosition(offset: 4, messageID: "m4"), bytes: 100,
                    image: LogProgress.Image(position: image.position, size: image.size)))
        #expect(machine.age(at(0)) == .seconds(1))
    }

    /// The image is of another stream, or the log behind it has been deleted.
    @Test(arguments: [(2, "other"), (9, "m9"), (0, "m0")])
    func ifTheImagesPlaceIsGoneAllIsRead(offset: Int64, messageID: String) throws {
        var machine = machine()
        let image = try image([Sample.created(7, revision: 7), complete[1], complete[2]])
        begin(&machine, image)
        let delivery = Machine.Incoming(offset: offset, messageID: messageID, message: mark)
        #expect(machine.received([delivery], now: at(0), wallClock: 2000).actions == [.resubscribe])
        #expect(!machine.readiness.isReady)
        #expect(!machine.readiness.publishInFull)
        begin(&machine, expecting: .first)
        _ = machine.received(incoming(complete + [mark]), now: at(0), wallClock: 2000)
        #expect(machine.readiness.isReady)
        #expect(machine.catalog.endpoints.map(\.record.name) == ["e1"])
        #expect(machine.imageProgress?.image == nil)
    }

    /// An endpoint without a snapshot is pending, and nobody waits for it or reads further back.
    @Test func anEndpointWithoutSnapshotKeepsNobody() throws {
        var machine = machine()
        begin(&machine, try image([complete[0], complete[2]]))
        let result = machine.received(incoming([complete[2], mark], from: 1), now: at(0), wallClock: 2000)
        #expect(result.actions.isEmpty)
        #expect(machine.readiness.isReady)
        #expect(machine.catalog.endpoints.map(\.state) == [.pending])
    }

    /// The log no longer holds everything: a record, or the list of models that a row names.
    @Test(arguments: [[1, 2], [0, 2]])
    func whatTheLogLacksIsAskedFor(parts: [Int]) {
        var machine = machine()
        begin(&machine)
        let row = Sample.batch(Sample.row(1, generation: 1, tick: 2, models: nil, digest: "m"))
        let log = [row, mark] + parts.map { complete[$0] }
        _ = machine.received(incoming(log, from: 10), now: at(0), wallClock: 2000)
        #expect(!machine.readiness.isReady)
        #expect(machine.readiness.reason != nil)
        #expect(machine.nextDeadline == at(1))
        #expect(machine.tick(now: at(1)).actions == [.requestCatalog])
        #expect(machine.tick(now: at(2)).actions.isEmpty)
        #expect(machine.tick(now: at(9)).actions.isEmpty)
        _ = machine.received(incoming(complete, from: 20), now: at(9), wallClock: 2000)
        #expect(machine.readiness.isReady)
        #expect(machine.nextDeadline == nil)
        #expect(machine.tick(now: at(60)).actions.isEmpty)
    }

    /// Where nobody has a list any more, the next poll brings it; a poller that waited for it would wait for itself.
    @Test func listsAreNotWaitedForForEver() {
        var machine = machine()
        begin(&machine)
        let row = Sample.batch(Sample.row(1, generation: 1, tick: 2, models: nil, digest: "m"))
        _ = machine.received(incoming([complete[0], row, complete[2], mark]), now: at(0), wallClock: 2000)
        #expect(machine.tick(now: at(1)).actions == [.requestCatalog])
        _ = machine.tick(now: at(9))
        #expect(!machine.readiness.isReady)
        #expect(machine.nextDeadline == at(10))
        #expect(machine.tick(now: at(10)).effects.contains(.modelsChanged))
        #expect(machine.readiness.isReady)
    }

    @Test func aProcessThatNeedsRecordsOnlyDoesNotWaitForLists() {
        var machine = Machine(need: .records) { "mark" }
        begin(&machine)
        let row = Sample.batch(Sample.row(1, generation: 1, tick: 2, models: nil, digest: "m"))
        _ = machine.received(incoming([complete[0], row, complete[2], mark]), now: at(0), wallClock: 2000)
        #expect(machine.readiness.isReady)
    }

    @Test func anotherMarkIsNoBarrier() {
        var machine = machine()
        begin(&machine)
        let other = CatalogMessage.syncMark(SyncMark(id: "other"))
        _ = machine.received(incoming(complete + [other]), now: at(0), wallClock: 2000)
        #expect(!machine.readiness.isReady)
    }

    @Test func aStreamWithoutCheckpointIsNotReadyUntilOneComes() {
        var machine = machine()
        #expect(!machine.readiness.lacksCheckpoint)
        begin(&machine)
        _ = machine.received(incoming([mark]), now: at(0), wallClock: 2000)
        #expect(machine.tick(now: at(1)).actions.isEmpty)
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
        begin(&machine)
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
        begin(&machine)
        _ = machine.received(incoming(complete), now: at(0), wallClock: 2000)
        machine.markFailed(id: "mark", now: at(1))
        machine.markSent(id: "mark", now: at(1))
        _ = machine.tick(now: at(60))
        #expect(!machine.readiness.isReady)
    }

    @Test func resumeTakesTheFirstDeliveryAsProofAndDoesNotApplyItTwice() {
        var machine = ready()
        machine.lost("connection lost")
        #expect(machine.readiness.isReady)
        #expect(!machine.readiness.isCurrent)
        #expect(machine.readiness.reason == "connection lost")
        begin(&machine, at: 10, expecting: .resume(at: 3))
        #expect(machine.nextDeadline == at(15))
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
        begin(&machine, at: 10)
        let delivery = Machine.Incoming(offset: offset, messageID: messageID, message: mark)
        #expect(machine.received([delivery], now: at(10), wallClock: 2000).actions == [.resubscribe])
        #expect(machine.readiness.publishInFull)
        #expect(machine.readiness.isReady)
        begin(&machine, at: 10, expecting: .first)
    }

    @Test func aNewStreamIsReadAsideAndSwappedInWhenComplete() {
        var machine = ready()
        machine.lost("connection lost")
        begin(&machine, at: 10)
        #expect(machine.tick(now: at(39.9)).actions == [.publishMark(id: "mark")])
        #expect(machine.tick(now: at(40)).actions == [.resubscribe])
        begin(&machine, at: 12, expecting: .first)
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
        begin(&machine, expecting: .resume(at: 3))
    }

    @Test func aNewStreamIsNotSwappedInBeforeItHasTheSnapshotsThatAreServed() {
        var machine = ready()
        machine.lost("connection lost")
        begin(&machine, at: 10)
        #expect(machine.received(incoming([mark]), now: at(12), wallClock: 2000).actions == [.resubscribe])
        begin(&machine, at: 12)
        _ = machine.received(incoming([mark]), now: at(12), wallClock: 2000)
        let records = [Sample.created(1, revision: 1), Sample.checkpoint([(1, 1)], revision: 1, incarnation: 2)]
        _ = machine.received(incoming(records, from: 1), now: at(13), wallClock: 2000)
        #expect(machine.readiness.publishInFull)
        #expect(machine.catalog.version?.incarnation == 1)
        _ = machine.received(incoming([complete[1]], from: 3), now: at(14), wallClock: 2000)
        #expect(!machine.readiness.publishInFull)
        #expect(machine.catalog.version == CatalogVersion(incarnation: 2, offset: 3))
    }

    /// A process that was cut off for so long that the log behind it is gone goes on from an image, and what it serves meanwhile
    /// stays.
    @Test func aStreamThatWasTrimmedIsGoneOnFromAnImage() throws {
        var machine = ready()
        machine.lost("connection lost")
        begin(&machine, at: 10)
        let later = Machine.Incoming(offset: 50, messageID: "m50", message: mark)
        #expect(machine.received([later], now: at(10), wallClock: 2000).actions == [.resubscribe])
        let log = complete + Array(repeating: mark, count: 57) + [Sample.created(2, revision: 2)]
        begin(&machine, try image(log), at: 10, expecting: .resume(at: 60))
        #expect(machine.readiness.publishInFull)
        #expect(machine.catalog.endpoints.map(\.record.name) == ["e1"])
        _ = machine.received(incoming([log[60], mark], from: 60), now: at(11), wallClock: 2000)
        #expect(!machine.readiness.publishInFull)
        #expect(machine.catalog.endpoints.map(\.record.name) == ["e1", "e2"])
        #expect(machine.imageProgress?.position == LogPosition(offset: 61, messageID: "m61"))
        machine.lost("again")
        begin(&machine, expecting: .resume(at: 61))
    }

    /// Beyond the end of a stream nothing is delivered. The broker has taken the mark, so it would have sent the message.
    @Test func aPlaceBeyondTheEndIsGivenUpSoonAfterTheMarkIsSent() {
        var machine = ready()
        machine.lost("connection lost")
        begin(&machine, at: 10)
        machine.markSent(id: "mark", now: at(10.5))
        #expect(machine.nextDeadline == at(12.5))
        #expect(machine.tick(now: at(12.4)).actions.isEmpty)
        #expect(machine.tick(now: at(12.5)).actions == [.resubscribe])
    }

    /// A broker that takes no messages shows neither a mark nor the message: without this nobody would ever look again.
    @Test func aResumeThatShowsNothingAndCannotBeMarkedIsGivenUp() {
        var machine = ready()
        machine.lost("connection lost")
        begin(&machine, at: 10)
        machine.markFailed(id: "mark", now: at(11))
        #expect(machine.nextDeadline == at(12))
        #expect(machine.tick(now: at(12)).actions == [.resubscribe])
    }

    /// Slices of any size end as the whole batch does, with the same effects and actions in the same order.
    @Test(arguments: 700..<720 as Range<UInt64>)
    func aBatchMayBeReceivedInSlices(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var log = SimulatedSenders(steps: 20, pollers: 2, using: &generator).interleaved(using: &generator)
        for place in 0..<5 { log.insert(.pollRequested(PollRequest(endpoint: "e\(place)", reason: "")), at: place * 9) }
        var (whole, sliced) = (ready(), ready())
        let expected = whole.received(incoming(log, from: 4), now: at(0), wallClock: 2000)
        var rest = incoming(log, from: 4)[...]
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
        let settled = sliced.settle(now: at(0))
        #expect(!expected.effects.isEmpty)
        #expect(effects + settled.effects == expected.effects, "seed \(seed)")
        #expect(actions + settled.actions == expected.actions, "seed \(seed)")
        #expect(sliced.readiness == whole.readiness && sliced.catalog.endpoints == whole.catalog.endpoints)
    }

    @Test func whatIsNotUnderstoodCountsAsApplied() {
        var machine = ready()
        let unknown = Machine.Incoming(offset: 4, messageID: "m4", message: nil)
        _ = machine.received([unknown], now: at(1), wallClock: 2000)
        #expect(machine.catalog.version?.offset == 4)
        machine.lost("connection lost")
        begin(&machine, expecting: .resume(at: 4))
    }

    @Test func requestsFromBeforeAColdStartAreNotPassedOn() {
        var machine = machine()
        begin(&machine)
        let request = CatalogMessage.pollRequested(PollRequest(endpoint: "e", reason: "asked"))
        let before = machine.received(incoming([request] + complete + [mark]), now: at(0), wallClock: 2000)
        #expect(!before.effects.contains(.pollRequested(id: "e")))
        let after = machine.received(incoming([request], from: 5), now: at(0), wallClock: 2000)
        #expect(after.effects == [.pollRequested(id: "e")])
    }

    @Test func ageComesFromWhatIsKnownToBeCurrent() {
        var machine = machine()
        #expect(machine.age(at(0)) == nil)
        begin(&machine)
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
        begin(&machine)
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
        let settled = settle(now: now)
        return (actions + settled.actions, effects + settled.effects)
    }
}
