import AMQP
public import Catalog
import Testing

@Suite struct CatalogTests {
    @Test func emptyListIsStillAList() {
        var catalog = Catalog()
        #expect(catalog.listText == #"{"object":"list","data":[]}"#)
        #expect(catalog.version == nil)
        #expect(!catalog.completeness.hasCheckpoint)
    }

    @Test func listHasTheFieldsInTheContractsOrder() {
        var row = Sample.row(1, generation: 1, tick: 10, models: [])
        row.models = [
            ModelEntry(
                id: "org/a\"b", ownedBy: "library", contextLength: 4096, capabilities: [.tools], firstSeen: 700),
            ModelEntry(id: "Z", firstSeen: 800),
        ]
        var other = Sample.row(2, generation: 2, tick: 11, models: ["org/a\"b"], state: .degraded, firstSeen: 600)
        other.models?[0].contextLength = 2048
        other.models?[0].capabilities = [.vision]
        var catalog = Catalog([
            Sample.created(1, name: "one", revision: 1), Sample.created(2, name: "an", revision: 2),
            Sample.batch(row, other), Sample.checkpoint([(1, 1), (2, 2)], revision: 2),
        ])
        #expect(
            catalog.listText == #"{"object":"list","data":[{"id":"Z","object":"model","created":800,"#
                + #""owned_by":"rollcall","endpoints":["one"]},{"id":"org/a\"b","object":"model","created":600,"#
                + #""owned_by":"library","context_length":2048,"endpoints":["an","one"],"context_length_max":4096,"#
                + #""capabilities":["vision","tools"]}]}"#)
        #expect(catalog.modelEntry("Z").map { String(decoding: $0, as: UTF8.self) }?.hasPrefix(#"{"id":"Z""#) == true)
        #expect(catalog.modelEntry("nothing") == nil)
        #expect(catalog.modelList.etag.count == 34)
        #expect(catalog.version?.description == "1-3")
    }

    @Test func offlineEndpointsCountForCreatedOnly() {
        var catalog = Catalog([
            Sample.created(1, revision: 1), Sample.created(2, revision: 2),
            Sample.batch(
                Sample.row(1, generation: 1, tick: 1, models: ["m", "alone"], state: .offline, firstSeen: 100),
                Sample.row(2, generation: 2, tick: 2, models: ["m"], firstSeen: 900)),
        ])
        #expect(catalog.listText.contains(#""id":"m","object":"model","created":100"#))
        #expect(catalog.listText.contains(#""endpoints":["e2"]"#))
        #expect(!catalog.listText.contains("alone"))
    }

    @Test func ownersThatDisagreeGiveRollcall() {
        var second = Sample.row(2, generation: 2, tick: 2, models: ["m"])
        second.models?[0].ownedBy = "other"
        let log = [
            Sample.created(1, revision: 1), Sample.created(2, revision: 2),
            Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["m"])), Sample.batch(second),
        ]
        var catalog = Catalog(log)
        #expect(catalog.listText.contains(#""owned_by":"rollcall""#))
        second.models?[0].ownedBy = nil
        second.tick = 3
        _ = catalog.apply(Sample.batch(second), at: 9)
        #expect(catalog.listText.contains(#""owned_by":"library""#))
    }

    @Test func idsThatDifferInNormalisationStayTwo() throws {
        let composed = "caf\u{E9}"
        let decomposed = "cafe\u{301}"
        let message = try Sample.batch(Sample.row(1, generation: 1, tick: 1, models: [composed, decomposed])).encoded()
        let decoded = try #require(try CatalogMessage(message))
        var catalog = Catalog([Sample.created(1, revision: 1), decoded])
        let snapshot = try #require(catalog.endpoint(id: Sample.id(1))?.snapshot)
        #expect(snapshot.models.map { Array($0.id.value.utf8) } == [Array(composed.utf8), Array(decomposed.utf8)])
        let list = catalog.modelList.bytes
        #expect(list.contains(Array("\"\(composed)\"".utf8)))
        #expect(list.contains(Array("\"\(decomposed)\"".utf8)))
    }

    @Test func rowWithoutModelsKeepsTheList() throws {
        var catalog = Catalog([
            Sample.created(1, revision: 1), Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["m"])),
        ])
        let before = catalog.modelList
        let failed = Sample.row(1, generation: 1, tick: 2, models: nil, digest: "m", state: .degraded)
        #expect(catalog.apply(Sample.batch(failed), at: 5) == [.snapshotApplied(id: Sample.id(1))])
        #expect(catalog.modelList == before)
        #expect(catalog.endpoint(id: Sample.id(1))?.snapshot?.isInStep == true)
    }

    @Test func rowWithAnotherBaseIsHealthAndLeavesTheModelsOutOfStep() throws {
        var catalog = Catalog([
            Sample.created(1, revision: 1), Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["m"])),
            Sample.batch(Sample.row(1, generation: 1, tick: 3, models: nil, digest: "other", state: .online)),
        ])
        let snapshot = try #require(catalog.endpoint(id: Sample.id(1))?.snapshot)
        #expect(!snapshot.isInStep)
        #expect(snapshot.health.tick == 3)
        #expect(snapshot.digest == "m")
        #expect(snapshot.modelsTick == 1)
        #expect(catalog.listText.contains(#""id":"m""#))
        // The row that was missing comes late: it is older than the health held, and its models count.
        _ = catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["n"], digest: "other")), at: 9)
        #expect(catalog.endpoint(id: Sample.id(1))?.snapshot?.isInStep == true)
        #expect(catalog.endpoint(id: Sample.id(1))?.snapshot?.health.tick == 3)
        #expect(catalog.listText.contains(#""id":"n""#))
        #expect(!catalog.listText.contains(#""id":"m""#))
    }

    @Test func newGenerationIsPendingUntilItsOwnRow() throws {
        var catalog = Catalog([
            Sample.created(1, revision: 1), Sample.batch(Sample.row(1, generation: 1, tick: 5, models: ["old"])),
        ])
        _ = catalog.apply(Sample.created(1, revision: 2), at: 2)
        #expect(catalog.endpoint(id: Sample.id(1))?.state == .pending)
        #expect(!catalog.listText.contains("old"))
        _ = catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: 6, models: ["old"])), at: 3)
        #expect(catalog.endpoint(id: Sample.id(1))?.state == .pending)
        _ = catalog.apply(Sample.batch(Sample.row(1, generation: 2, tick: 4, models: ["new"])), at: 4)
        #expect(catalog.endpoint(id: Sample.id(1))?.state == .online)
        #expect(catalog.listText.contains("new"))
    }

    @Test func rowOfUnknownEndpointAppearsWithItsRecord() {
        var catalog = Catalog([Sample.batch(Sample.row(1, generation: 7, tick: 5, models: ["m"]))])
        #expect(catalog.endpoints.isEmpty)
        let effects = catalog.apply(Sample.created(1, revision: 7), at: 1)
        #expect(
            effects == [.endpointRecordChanged(id: Sample.id(1)), .snapshotApplied(id: Sample.id(1)), .modelsChanged])
        #expect(catalog.listText.contains(#""id":"m""#))
    }

    @Test func removedEndpointDoesNotComeBackByReplay() {
        let log = [
            Sample.created(1, revision: 1), Sample.batch(Sample.row(1, generation: 1, tick: 5, models: ["m"])),
            Sample.removed(1, revision: 2), Sample.checkpoint([], revision: 2),
        ]
        for end in [3, 4] {
            var catalog = Catalog(Array(log[..<end]))
            for message in log[..<2] { _ = catalog.apply(message, at: 9) }
            #expect(catalog.endpoints.isEmpty)
            #expect(!catalog.listText.contains(#""id""#))
        }
    }

    @Test func checkpointDropsWhatItDoesNotListAndLowerOnesAreIgnored() {
        var catalog = Catalog([
            Sample.created(1, revision: 1), Sample.created(2, revision: 2), Sample.created(3, revision: 9),
            Sample.checkpoint([(2, 2)], revision: 5),
        ])
        #expect(catalog.endpoints.map(\.record.name) == ["e2", "e3"])
        _ = catalog.apply(Sample.checkpoint([], revision: 4), at: 5)
        _ = catalog.apply(Sample.created(4, revision: 5), at: 6)
        #expect(catalog.endpoints.map(\.record.name) == ["e2", "e3"])
        _ = catalog.apply(Sample.checkpoint([(1, 1), (2, 2), (3, 9)], revision: 9), at: 7)
        #expect(catalog.completeness.missingRecords == 1)
        _ = catalog.apply(Sample.created(1, revision: 1), at: 8)
        #expect(catalog.completeness.hasRecords)
        #expect(catalog.completeness.missingLists == 0)
        _ = catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: 1, models: nil, digest: "m")), at: 9)
        _ = catalog.apply(Sample.batch(Sample.row(2, generation: 2, tick: 1, models: nil)), at: 10)
        #expect(catalog.completeness.missingLists == 1)
    }

    @Test func checkpointPartsMayComeInAnyOrder() {
        let entries = (1...25_000).map { CheckpointEntry(kind: .endpoint, id: Sample.id($0), revision: Int64($0)) }
        let parts = Checkpoint.parts(
            registry: Sample.registry, incarnation: 3, revision: 30_000, entries: entries.shuffled(), madeAt: 5)
        #expect(parts.count == 4)
        #expect(
            parts
                == Checkpoint.parts(
                    registry: Sample.registry, incarnation: 3, revision: 30_000, entries: entries, madeAt: 5))
        var catalog = Catalog([Sample.created(70_000, revision: 7)])
        for part in parts.reversed().dropLast() { _ = catalog.apply(.registryCheckpoint(part), at: 1) }
        #expect(catalog.version == nil)
        let effects = catalog.apply(.registryCheckpoint(parts[0]), at: 2)
        #expect(effects.contains(.checkpoint(CatalogVersion(incarnation: 3, offset: 2))))
        #expect(catalog.endpoints.isEmpty)
        #expect(catalog.completeness.missingRecords == 25_000)
        #expect(catalog.registry == Sample.registry)
    }

    @Test func checkpointPartsAreAtMostOneMegabyte() throws {
        let entries = (1...12_000).map {
            CheckpointEntry(kind: .endpoint, id: Sample.id($0), revision: 9_007_199_254_740_991)
        }
        let parts = Checkpoint.parts(
            registry: Sample.registry, incarnation: 3, revision: 9_007_199_254_740_992, entries: entries, madeAt: 5)
        for part in parts {
            let size = try CatalogMessage.registryCheckpoint(part).encoded().body.count
            #expect(size <= 1_000_000)
        }
    }

    @Test func namesFollowRenames() {
        var catalog = Catalog([Sample.created(1, name: "a", revision: 1), Sample.created(2, name: "b", revision: 2)])
        _ = catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["m"])), at: 3)
        _ = catalog.apply(Sample.created(1, name: "c", generation: 1, revision: 3), at: 4)
        #expect(catalog.endpoint(named: "a") == nil)
        #expect(catalog.endpoint(named: "c")?.record.id == Sample.id(1))
        #expect(catalog.listText.contains(#""endpoints":["c"]"#))
        _ = catalog.apply(Sample.created(2, name: "a", generation: 2, revision: 4), at: 5)
        #expect(catalog.endpoint(named: "a")?.record.id == Sample.id(2))
        #expect(catalog.endpoints.map(\.record.name) == ["a", "c"])
    }

    @Test func operationsEndFinalAndAreForgottenAfterManyRevisions() {
        let kept = Operation.keptRevisions
        let pending = Operation(id: "o", state: .pending, step: "x", status: 202, sequence: 40, at: 1000)
        let final = Operation(id: "o", state: .succeeded, revision: 44, status: 201, result: "r", sequence: 45, at: 900)
        for log in [[pending, final], [final, pending]] {
            var catalog = Catalog(log.map { .operationChanged($0) })
            #expect(catalog.operation(id: "o") == final)
            #expect(catalog.highestRevision == 45)
            _ = catalog.apply(Sample.checkpoint([], revision: 45 + kept), at: 5)
            #expect(catalog.operation(id: "o") == final)
            _ = catalog.apply(Sample.checkpoint([], revision: 46 + kept), at: 6)
            #expect(catalog.operation(id: "o") == nil)
            #expect(catalog.apply(.operationChanged(final), at: 7).isEmpty)
        }
    }

    @Test("A registrar's clock that was hours ahead hides no outcome")
    func clockThatWasAhead() {
        let hours: Int64 = 3 * 3_600_000
        var catalog = Catalog([
            .operationChanged(Operation(id: "a", state: .failed, status: 409, sequence: 7, at: 1000 + hours)),
            Sample.checkpoint([], revision: 7, madeAt: 1000 + hours),
        ])
        let next = Operation(id: "b", state: .succeeded, revision: 8, status: 200, sequence: 8, at: 2000)
        #expect(catalog.apply(.operationChanged(next), at: 9) == [.operationChanged(id: "b")])
        #expect(catalog.operation(id: "b") == next)
    }

    @Test("An operation of an earlier version, which says no revision, counts as new")
    func operationWithoutSequence() {
        var catalog = Catalog([Sample.checkpoint([], revision: 5 * Operation.keptRevisions)])
        _ = catalog.apply(.operationChanged(Operation(id: "o", state: .failed, status: 409, at: 1)), at: 2)
        #expect(catalog.operation(id: "o")?.status == 409)
        _ = catalog.apply(Sample.checkpoint([], revision: 7 * Operation.keptRevisions), at: 3)
        #expect(catalog.operation(id: "o") == nil)
    }

    @Test func requestsAndMarksAreEffectsOnly() {
        var catalog = Catalog()
        let request = PollRequest(endpoint: "x", reason: "asked")
        #expect(catalog.apply(.pollRequested(request), at: 0) == [.pollRequested(id: "x")])
        #expect(catalog.apply(.endpointSuspect(request), at: 1) == [.endpointSuspect(id: "x")])
        #expect(catalog.apply(.endpointAlive(EndpointSighting(endpoint: "x")), at: 1) == [.endpointAlive(id: "x")])
        #expect(
            catalog.apply(.pollerCutOff(PollerCutOff(poller: "p", isCutOff: true)), at: 1)
                == [.pollerCutOff(poller: "p", isCutOff: true)])
        #expect(catalog.apply(.syncMark(SyncMark(id: "m")), at: 2) == [.syncMark(id: "m")])
        #expect(catalog.endpoints.isEmpty)
    }

    @Test func effectsComeOnlyForWhatChanged() {
        let record = Sample.created(1, revision: 1)
        let row = Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["m"]))
        var catalog = Catalog([record, row])
        #expect(catalog.apply(record, at: 2).isEmpty)
        #expect(catalog.apply(row, at: 3).isEmpty)
        #expect(
            catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["m"])), at: 4)
                == [.snapshotApplied(id: Sample.id(1))])
        #expect(catalog.highestTick == 2)
        #expect(catalog.highestRevision == 1)
    }

    @Test func unlistedModelsDoNotStayInTheIndex() {
        var catalog = Catalog([Sample.created(1, revision: 1)])
        for tick in 1...40 {
            let models = (0..<100).map { "model-\(tick)-\($0)" }
            _ = catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: Int64(tick), models: models)), at: 1)
        }
        #expect(catalog.listText.split(separator: #""object":"model""#).count == 101)
        #expect(catalog.listText.contains("model-40-99"))
        #expect(!catalog.listText.contains("model-39-"))
    }
}

extension ModelID: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}
