import Catalog
import HTTPTypes
import Testing

@testable import Gateway

@Suite struct DispatcherTests {
    private let a = placementTarget("a")
    private let b = placementTarget("b")

    @Test func aFreedPlaceIsGivenInOrder() throws {
        let bench = PlacementBench()
        let held = try bench.place([a])
        let waiting = try (0..<5).map { _ in try bench.place([a]) }
        #expect(bench.dispatcher.waiting == 5 && waiting.allSatisfy { $0.ending == nil })
        // The last reference gives it back.
        held.drop()
        for number in 0..<5 {
            #expect(waiting.map { $0.ending != nil } == (0..<5).map { $0 <= number })
            #expect(bench.dispatcher.inFlight("a") == 1)
            waiting[number].lease?.release()
            waiting[number].lease?.release(.succeeded)
        }
        #expect(bench.dispatcher.inFlight("a") == 0 && bench.dispatcher.waiting == 0)
    }

    @Test func aPlaceElsewhereIsNotTaken() throws {
        let bench = PlacementBench()
        let held = try [bench.place([a], model: "m"), bench.place([b], model: "n")]
        let waitsForA = try bench.place([a], model: "m")
        let waitsForB = try bench.place([b], model: "n")
        held[1].lease?.release()
        #expect(waitsForB.ending == "b" && waitsForA.ending == nil && bench.dispatcher.waiting == 1)
        held[0].lease?.release()
        #expect(waitsForA.ending == "a")
    }

    /// Two models on one endpoint have two lines, and the first to come is the first to be served.
    @Test func orderIsKeptAcrossModelsOfAnEndpoint() throws {
        let bench = PlacementBench()
        let held = try bench.place([a], model: "m")
        let waiting = try ["n", "m", "n", "o", "m"].map { try bench.place([a], model: $0) }
        held.lease?.release()
        for number in waiting.indices {
            #expect(waiting.map { $0.ending != nil } == waiting.indices.map { $0 <= number })
            waiting[number].lease?.release()
        }
    }

    @Test func linesAreBoundedByModelAndInAll() throws {
        let bench = PlacementBench(queue: 2)
        let held = try bench.place([a])
        let first = try [bench.place([a]), bench.place([a])]
        guard case .lineFull = bench.attempt([a]) else { throw PlacementBench.Refused() }
        // Another model's line is its own, up to ten times as many in all.
        var others = try (0..<18).map { try bench.place([a], model: "m\($0 / 2)") }
        guard case .lineFull = bench.attempt([a], model: "late") else { throw PlacementBench.Refused() }
        #expect(bench.dispatcher.waiting == 20)
        #expect(bench.dispatcher.leave(try #require(others.removeLast().ticket)))
        others.append(try bench.place([a], model: "late"))
        held.lease?.release()
        for request in first + others {
            #expect(request.ending == "a")
            request.lease?.release()
        }
        let failure = Dispatcher.lineFull
        #expect(failure.status.code == 429 && failure.error.code == "queue_full" && failure.headers[.retryAfter] == "1")
        #expect(failure.error.type == "rate_limit_error" && Dispatcher.stayedBusy.error.code == "queue_full")
    }

    @Test func whoMayNotWaitDoesNot() throws {
        let bench = PlacementBench()
        let held = try bench.place([a])
        guard case .lineFull = bench.attempt([a], waits: false) else { throw PlacementBench.Refused() }
        #expect(bench.dispatcher.waiting == 0)
        held.lease?.release()
        guard case .request = bench.attempt([a], waits: false) else { throw PlacementBench.Refused() }
    }

    @Test func whoLeavesIsNeverCalled() throws {
        let bench = PlacementBench()
        let held = try bench.place([a])
        let waiting = try (0..<3).map { _ in try bench.place([a]) }
        let tickets = try waiting.map { try #require($0.ticket) }
        #expect(bench.dispatcher.leave(tickets[1]) && !bench.dispatcher.leave(tickets[1]))
        held.lease?.release()
        #expect(waiting[0].ending == "a" && !bench.dispatcher.leave(tickets[0]))
        waiting[0].lease?.release()
        #expect(waiting[2].ending == "a" && waiting[1].ending == nil && bench.dispatcher.waiting == 0)
        waiting[2].lease?.release()
        #expect(bench.dispatcher.inFlight("a") == 0 && waiting[1].outcomes.isEmpty)
    }

    @Test func aChangedCatalogIsSeenByThoseWhoWait() throws {
        let bench = PlacementBench()
        let held = try bench.place([a])
        let waiting = try [bench.place([a]), bench.place([a]), bench.place([a], model: "n")]
        let asked = Record<String>()
        bench.dispatcher.refresh { model in
            asked.add(model.id.value)
            return .success(model == RequestedModel("m") ? [a, b] : [a])
        }
        #expect(asked.all.sorted() == ["m", "n"], "once for each model")
        #expect(waiting.map(\.ending) == ["b", nil, nil])
        // The line now has `b` as well.
        waiting[0].lease?.release()
        #expect(waiting.map(\.ending) == ["b", "b", nil])
        bench.dispatcher.refresh { _ in .failure(.notFound("model_not_found", "gone")) }
        #expect(waiting[2].ending == "model_not_found" && bench.dispatcher.waiting == 0)
        held.lease?.release()
        #expect(bench.dispatcher.inFlight("a") == 0)
    }

    /// A record with a higher maximum makes room without a release.
    @Test func aRaisedMaximumIsSeen() throws {
        let bench = PlacementBench()
        let held = try bench.place([a])
        let waiting = try (0..<3).map { _ in try bench.place([a]) }
        bench.dispatcher.refresh { _ in .success([placementTarget("a", maximum: 3)]) }
        #expect(waiting.map(\.ending) == ["a", "a", nil])
        held.lease?.release()
        #expect(waiting[2].ending == "a")
    }

    @Test func noneButThoseExcluded() throws {
        let bench = PlacementBench()
        for waits in [true, false] {
            guard case .none = bench.attempt([a], excluding: ["a"], waits: waits) else {
                throw PlacementBench.Refused()
            }
            guard case .none = bench.attempt([], waits: waits) else { throw PlacementBench.Refused() }
        }
        // The only other endpoint goes while a request waits for it.
        let held = try bench.place([b])
        let waiting = try bench.place([a, b], excluding: ["a"])
        let plain = try bench.place([b], model: "n")
        bench.dispatcher.refresh { .success($0 == RequestedModel("m") ? [a] : [b]) }
        #expect(waiting.ending == "none left" && plain.ending == nil)
        held.lease?.release()
        #expect(plain.ending == "b")
    }

    /// Nobody who comes later goes before those who wait for the same model, also if time alone has made room.
    @Test func aNewcomerWaitsBehindTheOthers() throws {
        let bench = PlacementBench()
        try bench.place([a]).lease?.release(.full(.seconds(5)), now: bench.now)
        let first = try bench.place([a], after: .seconds(1))
        #expect(first.ending == nil)
        let second = try bench.place([a], after: .seconds(6))
        #expect(first.ending == "a" && second.ending == nil)
        first.lease?.release(now: bench.now + .seconds(6))
        #expect(second.ending == "a")
    }

    /// A newcomer may know more of the catalog than the line does. The line hears of it by `refresh`.
    @Test func aNewcomerWithNewTargetsWaitsAsWell() throws {
        let bench = PlacementBench()
        let held = try bench.place([a])
        let first = try bench.place([a])
        let second = try bench.place([a, b])
        #expect(first.ending == nil && second.ending == nil)
        bench.dispatcher.refresh { _ in .success([a, b]) }
        #expect(first.ending == "b" && second.ending == nil)
        held.lease?.release()
        #expect(second.ending == "a")
    }

    @Test func theEndOfA429IsServed() throws {
        let bench = PlacementBench()
        try bench.place([a]).lease?.release(.full(.seconds(5)), now: bench.now)
        let waiting = try bench.place([a], after: .seconds(1))
        bench.dispatcher.serve(at: "b", now: bench.now + .seconds(5))
        bench.dispatcher.serve(at: "a", now: bench.now + .seconds(4))
        #expect(waiting.ending == nil)
        bench.dispatcher.serve(at: "a", now: bench.now + .seconds(5))
        #expect(waiting.ending == "a")
    }

    /// A request that was refused by `a` is not held up by those who wait for `a`, and takes nothing from them.
    @Test func anExcludingRequestPassesThoseWhoCannotUseItsPlace() throws {
        let bench = PlacementBench()
        let degraded = placementTarget("d", maximum: 1, isDegraded: true)
        let held = try bench.place([a, degraded])
        let first = try bench.place([a, degraded])
        let excluding = try bench.place([a, degraded], excluding: ["a"])
        #expect(first.ending == nil && excluding.ending == "d")
        let second = try bench.place([a, degraded], excluding: ["a"])
        let third = try bench.place([a, degraded])
        #expect(second.ending == nil)
        excluding.lease?.release()
        #expect(first.ending == nil && second.ending == "d" && third.ending == nil)
        held.lease?.release()
        #expect(first.ending == "a" && third.ending == nil)
    }

    @Test func changedRanksServeTheLine() throws {
        let degraded = placementTarget("d", maximum: 1, isDegraded: true)
        for isTold in [true, false] {
            let bench = PlacementBench()
            let held = try bench.place([a, degraded])
            let waiting = try bench.place([a, degraded])
            // Told by another gateway, or found out by a request.
            if isTold { bench.dispatcher.suspect("a") } else { held.lease?.release(.unreachable) }
            #expect(waiting.ending == "d" && bench.dispatcher.isSuspect("a"))
            let next = try bench.place([a, degraded])
            #expect(next.ending == nil)
            // Its place is free only if it was given back.
            bench.dispatcher.trust("a")
            #expect(next.ending == (isTold ? nil : "a") && !bench.dispatcher.isSuspect("a"))
        }
        let bench = PlacementBench()
        let three = try (0..<3).map { _ in try bench.place([placementTarget("a", maximum: 3), degraded]) }
        let waiting = try bench.place([placementTarget("a", maximum: 3), degraded])
        for request in three { request.lease?.release(.failed) }
        #expect(waiting.ending == "a", "served at the first release, before the breaker trips")
        #expect(bench.dispatcher.isTripped("a"))
    }

    @Test func aLeaseTellsHowItWent() throws {
        let bench = PlacementBench()
        let open = placementTarget("a", maximum: nil)
        for _ in 0..<3 { try bench.place([open]).lease?.release(.failed) }
        #expect(bench.dispatcher.isTripped("a"))
        let lease = try #require(try bench.place([open]).lease)
        lease.release(.succeeded, firstByte: .milliseconds(3))
        lease.began(firstByte: .seconds(100))
        #expect(!bench.dispatcher.isTripped("a") && bench.dispatcher.inFlight("a") == 0)
        bench.dispatcher.suspect("a")
        bench.dispatcher.forget("a")
        #expect(!bench.dispatcher.isSuspect("a"))
    }
}

@Suite struct WaitingLineTests {
    private func line(_ entries: String) -> WaitingLine<Character> {
        var line = WaitingLine<Character>()
        for (number, entry) in entries.enumerated() { line.join(entry, ticket: UInt64(10 + number)) }
        return line
    }

    private func left(_ line: WaitingLine<Character>) -> String {
        var line = line
        var left = ""
        while let next = line.offer({ _ in .taken }) { left.append(next) }
        return left
    }

    @Test func orderIsKept() {
        var line = line("abcd")
        #expect(line.count == 4 && line.firstTicket == 10)
        #expect(line.leave(11) == "b" && line.leave(11) == nil && line.leave(9) == nil && line.leave(14) == nil)
        #expect(left(line) == "acd")
        var offered = ""
        let taken = line.offer { entry in
            offered.append(entry)
            return entry == "c" ? .taken : .declined
        }
        #expect(taken == "c" && offered == "ac" && left(line) == "ad")
        offered = ""
        let none = line.offer { entry in
            offered.append(entry)
            return .end
        }
        #expect(none == nil && offered == "a")
        #expect(line.leave(10) == "a" && line.firstTicket == 13)
        #expect(line.leave(13) == "d" && line.isEmpty && line.firstTicket == nil)
    }

    /// Against an array that does the same, also as empty cells are cut off.
    @Test func likeAnArray() {
        var line = WaitingLine<UInt64>()
        var model: [UInt64] = []
        var generator = SmallGenerator(state: 5)
        for ticket in UInt64(1)...5000 {
            line.join(ticket, ticket: ticket)
            model.append(ticket)
            switch UInt8.random(in: 0..<3, using: &generator) {
            case 0:
                let leaves = UInt64.random(in: 1...ticket, using: &generator)
                let isIn = model.contains(leaves)
                #expect(line.leave(leaves) == (isIn ? leaves : nil))
                model.removeAll { $0 == leaves }
            case 1 where !model.isEmpty:
                #expect(line.offer { _ in .taken } == model.removeFirst())
            default: break
            }
            #expect(line.count == model.count && line.firstTicket == model.first)
        }
    }
}
