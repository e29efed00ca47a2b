import Catalog
import Foundation
import Synchronization
import Testing

@testable import Gateway

/// Many threads do everything at random. Whatever they do: never more in flight than allowed, no lease is lost, every
/// waiter ends exactly once, and those of one model are served in order.
@Suite(.timeLimit(.minutes(1))) struct PlacementPropertyTests {
    /// One request as the test knows it.
    private final class Waiter: Sendable {
        let calls = Atomic(0)
        let ticket = Mutex<PlacementTicket?>(nil)
        let hasLeft = Atomic(false)
    }

    private final class Fleet: Sendable {
        let maximums = ["a": 1, "b": 2, "c": 3, "d": 5]
        /// The models' endpoints overlap, so that one release concerns several lines.
        let models: [String: [String]] = ["m": ["a", "b"], "n": ["b", "c"], "o": ["c", "d", "a"]]
        let dispatcher: Dispatcher
        let held = Mutex<[EndpointLease]>([])
        let tooMany = Atomic(0)
        let waiters = Mutex<[Waiter]>([])

        init() {
            var limits = InferenceLimits()
            limits.queueLength = 40
            dispatcher = Dispatcher(limits: limits)
        }

        func targets(_ model: String) -> [InferenceTarget] {
            models[model, default: []].map { placementTarget($0, maximum: maximums[$0]) }
        }

        func keep(_ lease: EndpointLease) {
            held.withLock { held in
                held.append(lease)
                let id = lease.target.id
                if held.count(where: { $0.target.id == id }) > maximums[id, default: 0] {
                    tooMany.add(1, ordering: .relaxed)
                }
            }
        }

        func place(_ model: String, _ generator: inout SmallGenerator) {
            let waiter = Waiter()
            let excluded = Bool.random(using: &generator) ? [] : ["b"]
            let placement = dispatcher.place(
                PlacementRequest(
                    model: RequestedModel(model), targets: targets(model), sticky: generator.next() % 4,
                    excluded: excluded)
            ) { [self] outcome in
                waiter.calls.add(1, ordering: .relaxed)
                if case .placed(let lease) = outcome { keep(lease) }
            }
            switch placement {
            case .placed(let lease): keep(lease)
            case .waiting(let ticket):
                waiter.ticket.withLock { $0 = ticket }
                waiters.withLock { $0.append(waiter) }
            case .none, .lineFull: break
            }
        }

        /// Gives one lease back. It leaves the list first, so the list never shows more than there are.
        func release(_ generator: inout SmallGenerator) {
            let lease = held.withLock { held in
                held.isEmpty ? nil : held.remove(at: .random(in: held.indices, using: &generator))
            }
            let results: [AnswerResult] = [.unknown, .succeeded, .failed, .refused, .full(.zero), .unreachable]
            if generator.next() % 4 > 0 { lease?.release(results.randomElement(using: &generator) ?? .unknown) }
        }

        func leave(_ generator: inout SmallGenerator) {
            let waiter = waiters.withLock { $0.randomElement(using: &generator) }
            guard let waiter, let ticket = waiter.ticket.withLock({ $0 }) else { return }
            if dispatcher.leave(ticket) {
                if waiter.hasLeft.exchange(true, ordering: .relaxed) { tooMany.add(1, ordering: .relaxed) }
            }
        }

        func step(_ generator: inout SmallGenerator) {
            let model = models.keys.sorted().randomElement(using: &generator) ?? "m"
            let id = maximums.keys.sorted().randomElement(using: &generator) ?? "a"
            switch generator.next() % 100 {
            case 0..<40: place(model, &generator)
            case 40..<80: release(&generator)
            case 80..<86: leave(&generator)
            case 86..<88: dispatcher.refresh { [self] in .success(targets($0.id.value)) }
            case 88: dispatcher.refresh { _ in .failure(.notFound("model_not_found", "gone")) }
            case 89: dispatcher.forget(id)
            case 90..<93: dispatcher.suspect(id)
            case 93..<97: dispatcher.trust(id)
            default: dispatcher.serve(at: id)
            }
        }
    }

    @Test func randomInterleavings() {
        for seed in UInt64(1)...6 {
            let fleet = Fleet()
            let threads = 4
            DispatchQueue.concurrentPerform(iterations: threads) { thread in
                var generator = SmallGenerator(state: seed * 1000 + UInt64(thread))
                for _ in 0..<3000 { fleet.step(&generator) }
            }
            // All go home.
            var generator = SmallGenerator(state: seed)
            for _ in 0..<100_000 {
                if fleet.held.withLock({ $0.isEmpty }) && fleet.dispatcher.waiting == 0 { break }
                fleet.release(&generator)
            }
            #expect(fleet.tooMany.load(ordering: .relaxed) == 0)
            #expect(fleet.dispatcher.waiting == 0)
            for id in fleet.maximums.keys { #expect(fleet.dispatcher.inFlight(id) == 0) }
            let waiters = fleet.waiters.withLock { $0 }
            #expect(waiters.count > 500)
            #expect(
                waiters.allSatisfy {
                    $0.calls.load(ordering: .relaxed) == ($0.hasLeft.load(ordering: .relaxed) ? 0 : 1)
                })
        }
    }

    /// One thread, so that the order of calls is the order of places: each model's waiters come in order of arrival.
    @Test func orderIsKeptPerModel() {
        for seed in UInt64(1)...20 {
            let bench = PlacementBench(queue: 1000)
            let models = ["m": ["a", "b"], "n": ["b", "c"], "o": ["a", "c"]]
            var generator = SmallGenerator(state: seed)
            let held = Record<EndpointLease>()
            let served = Record<(String, Int)>()
            var released = 0
            for number in 0..<400 {
                let model = models.keys.sorted().randomElement(using: &generator) ?? "m"
                let targets = models[model, default: []].map { placementTarget($0, maximum: 2) }
                let placement = bench.dispatcher.place(
                    PlacementRequest(model: RequestedModel(model), targets: targets)
                ) { outcome in
                    guard case .placed(let lease) = outcome else { return }
                    served.add((model, number))
                    held.add(lease)
                }
                if case .placed(let lease) = placement {
                    served.add((model, number))
                    held.add(lease)
                }
                while released < held.all.count, number > 300 || generator.next() % 2 == 0 {
                    held.all[released].release(generator.next() % 8 == 0 ? .unreachable : .succeeded)
                    if generator.next() % 4 == 0 { for id in ["a", "b", "c"] { bench.dispatcher.trust(id) } }
                    released += 1
                }
            }
            for model in models.keys {
                let numbers = served.all.filter { $0.0 == model }.map(\.1)
                #expect(numbers == numbers.sorted())
            }
            #expect(served.all.count == 400)
        }
    }
}
