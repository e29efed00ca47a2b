import Catalog
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1))) struct DispatcherTests {
    /// Sleeps that end when the test says so.
    private final class Sleeps: Sendable {
        private let held = Mutex<[(Duration, Event)]>([])
        var count: Int { held.withLock { $0.count } }
        var durations: [Duration] { held.withLock { $0.map(\.0) } }
        func end(_ index: Int) { held.withLock { $0[index].1 }.happen() }

        func sleep(_ duration: Duration) async throws {
            let signal = Event()
            held.withLock { $0.append((duration, signal)) }
            await withTaskCancellationHandler {
                await signal.wait()
            } onCancel: {
                signal.happen()
            }
            try Task.checkCancellation()
        }
    }

    /// The targets that a wish is told of; a test changes them.
    private final class Targets: Sendable {
        private let held: Mutex<Result<[InferenceTarget], HTTPFailure>>
        init(_ targets: [InferenceTarget]) { held = Mutex(.success(targets)) }
        func set(_ targets: Result<[InferenceTarget], HTTPFailure>) { held.withLock { $0 = targets } }
        func wish(sticky: String? = nil, excluding: Set<String> = []) -> Dispatcher.Wish {
            Dispatcher.Wish(
                targets: { () throws(HTTPFailure) in try self.held.withLock { $0 }.get() }, sticky: sticky,
                excluded: excluding)
        }
    }

    private func target(_ id: String, maximum: Int? = 1) -> InferenceTarget {
        InferenceTarget(
            endpoint: EndpointRecord(
                id: id, name: id, baseURL: "http://x", maxConcurrency: maximum, generation: 1, revision: 1, createdAt: 1
            ),
            model: ModelID("m"), isDegraded: false)
    }

    private func dispatcher(_ sleeps: Sleeps, queue: Int = 10) -> Dispatcher {
        var limits = InferenceLimits()
        limits.queueLength = queue
        return Dispatcher(limits: limits) { try await sleeps.sleep($0) }
    }

    @Test func aFreedPlaceIsGivenInOrder() async throws {
        let dispatcher = dispatcher(Sleeps())
        let targets = Targets([target("a")])
        var held = try await dispatcher.place(for: targets.wish())
        let order = Record<Int>()
        let places = Record<Place>()
        let tasks = try await (0..<5).asyncMap { number in
            let task = Task {
                let place = try await dispatcher.place(for: targets.wish())
                order.add(number)
                if let place { places.add(place) }
            }
            try await eventually("\(number) waits") { dispatcher.waiting == number + 1 }
            return task
        }
        _ = held
        held = nil
        for number in 0..<5 {
            try await tasks[number].value
            #expect(order.all == Array(0...number))
            #expect(dispatcher.inFlight("a") == 1)
            places.all[number].release()
        }
        #expect(dispatcher.inFlight("a") == 0 && dispatcher.waiting == 0)
    }

    @Test func aPlaceElsewhereIsNotTaken() async throws {
        let dispatcher = dispatcher(Sleeps())
        let first = Targets([target("a")])
        let second = Targets([target("b")])
        let held = [try await dispatcher.place(for: first.wish()), try await dispatcher.place(for: second.wish())]
        let waitsForA = Task { try await dispatcher.place(for: first.wish())?.target.endpoint.id }
        try await eventually("one waits") { dispatcher.waiting == 1 }
        let waitsForB = Task { try await dispatcher.place(for: second.wish())?.target.endpoint.id }
        try await eventually("two wait") { dispatcher.waiting == 2 }
        held[1]?.release()
        #expect(try await waitsForB.value == "b")
        #expect(dispatcher.waiting == 1)
        held[0]?.release()
        #expect(try await waitsForA.value == "a")
    }

    @Test func theLineIsBounded() async throws {
        let dispatcher = dispatcher(Sleeps(), queue: 1)
        let targets = Targets([target("a")])
        let held = try await dispatcher.place(for: targets.wish())
        let waiting = Task { try await dispatcher.place(for: targets.wish())?.target.endpoint.id }
        try await eventually("one waits") { dispatcher.waiting == 1 }
        let failure = try await #require(throws: HTTPFailure.self) { try await dispatcher.place(for: targets.wish()) }
        #expect(failure.status.code == 429 && failure.error.code == "queue_full" && failure.headers[.retryAfter] == "1")
        #expect(failure.error.type == "rate_limit_error")
        #expect(dispatcher.placeAtOnce(for: targets.wish()) == nil)
        held?.release()
        #expect(try await waiting.value != nil)
    }

    @Test func deadlinesAreKept() async throws {
        let sleeps = Sleeps()
        let dispatcher = dispatcher(sleeps)
        let targets = Targets([target("a")])
        let held = try await dispatcher.place(for: targets.wish())
        let first = Task { try await dispatcher.place(for: targets.wish())?.target.endpoint.id }
        try await eventually("one sleeps") { sleeps.count == 1 }
        let second = Task { try await dispatcher.place(for: targets.wish())?.target.endpoint.id }
        try await eventually("two sleep") { sleeps.count == 2 }
        #expect(sleeps.durations == [.seconds(30), .seconds(30)])
        sleeps.end(0)
        let failure = try await #require(throws: HTTPFailure.self) { try await first.value }
        #expect(failure.error.code == "queue_full")
        held?.release()
        #expect(try await second.value != nil)
        #expect(dispatcher.inFlight("a") == 0, "the place went with its holder")
    }

    @Test func whoIsCancelledLeaves() async throws {
        let dispatcher = dispatcher(Sleeps())
        let targets = Targets([target("a")])
        let held = try await dispatcher.place(for: targets.wish())
        let waiting = Task { try await dispatcher.place(for: targets.wish())?.target.endpoint.id }
        try await eventually("one waits") { dispatcher.waiting == 1 }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(dispatcher.waiting == 0)
        held?.release()
        #expect(dispatcher.inFlight("a") == 0)
        // Cancelled before it came.
        let again = try await dispatcher.place(for: targets.wish())
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await dispatcher.place(for: targets.wish())
        }
        await #expect(throws: CancellationError.self) { try await late.value }
        again?.release()
    }

    @Test func aChangedCatalogIsSeenByThoseWhoWait() async throws {
        let dispatcher = dispatcher(Sleeps())
        let targets = Targets([target("a")])
        let held = try await dispatcher.place(for: targets.wish())
        let first = Task { try await dispatcher.place(for: targets.wish())?.target.endpoint.id }
        try await eventually("one waits") { dispatcher.waiting == 1 }
        let second = Task { try await dispatcher.place(for: targets.wish())?.target.endpoint.id }
        try await eventually("two wait") { dispatcher.waiting == 2 }
        targets.set(.success([target("a"), target("b")]))
        dispatcher.refresh()
        #expect(try await first.value == "b")
        // Its place at `b` is given back as nobody holds it: the second has it, or waits for it no longer.
        #expect(try await second.value == "b")

        let full = try await dispatcher.place(for: targets.wish(excluding: ["a"]))
        let third = Task { try await dispatcher.place(for: targets.wish())?.target.endpoint.id }
        try await eventually("the third waits") { dispatcher.waiting == 1 }
        targets.set(.failure(.notFound("model_not_found", "gone")))
        dispatcher.refresh()
        let failure = try await #require(throws: HTTPFailure.self) { try await third.value }
        #expect(failure.error.code == "model_not_found")
        full?.release()
        held?.release()
    }

    @Test func noneButThoseExcluded() async throws {
        let dispatcher = dispatcher(Sleeps())
        let targets = Targets([target("a")])
        #expect(try await dispatcher.place(for: targets.wish(excluding: ["a"])) == nil)
        #expect(dispatcher.placeAtOnce(for: targets.wish(excluding: ["a"])) == nil)
    }

    /// Many at once, each giving its place back: never more in flight than allowed, and nobody is left.
    @Test func underLoad() async throws {
        let dispatcher = dispatcher(Sleeps(), queue: 10_000)
        let targets = Targets([target("a", maximum: 2), target("b", maximum: 3)])
        let seen = Record<(id: String, inFlight: Int)>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<500 {
                group.addTask {
                    guard let place = try await dispatcher.place(for: targets.wish()) else { return }
                    let id = place.target.endpoint.id
                    seen.add((id, dispatcher.inFlight(id)))
                    await Task.yield()
                    place.release()
                }
            }
            try await group.waitForAll()
        }
        #expect(seen.all.count == 500 && seen.all.allSatisfy { $0.inFlight <= ($0.id == "a" ? 2 : 3) })
        #expect(dispatcher.inFlight("a") == 0 && dispatcher.inFlight("b") == 0 && dispatcher.waiting == 0)
    }
}

extension Sequence {
    fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}

@Suite struct WaitingLineTests {
    @Test func orderAndBounds() {
        var line = WaitingLine<String>(limit: 3)
        let tickets = ["a", "b", "c"].map { line.join($0) ?? 0 }
        let refused = line.join("d")
        let left = [line.leave(tickets[1]), line.leave(tickets[1])]
        #expect(refused == nil && left == ["b", nil])
        line.update(tickets[2]) { $0 = "C" }
        line.update(tickets[1]) { $0 = "B" }
        let taken = line.join("d")
        #expect(taken != nil)
        #expect(line.waiters.map(\.entry) == ["a", "C", "d"])
        var offered: [String] = []
        line.offer { entry in
            offered.append(entry)
            return entry == "d" ? nil : entry == "C"
        }
        #expect(offered == ["a", "C", "d"])
        #expect(line.waiters.map(\.entry) == ["a", "d"])
        line.offer { _ in true }
        #expect(line.isEmpty)
    }
}
