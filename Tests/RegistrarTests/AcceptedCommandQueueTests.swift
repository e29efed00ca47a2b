import Catalog
import Testing

@testable import Registrar

struct AcceptedCommandQueueTests {
    private func entry(_ number: Int, key: String? = nil) -> AcceptedCommandQueue.Entry {
        let command = AcceptedCommand(
            id: "c\(number)", fingerprint: "", work: .verify(name: "m"), revision: Int64(number), at: noon)
        return AcceptedCommandQueue.Entry(command: command, key: key ?? "k\(number)")
    }

    private func ids(_ entries: [AcceptedCommandQueue.Entry]) -> [String] { entries.map(\.command.id) }

    @Test func oneOfAKeyIsInWorkAtATimeAndTheOldestFirst() {
        var queue = AcceptedCommandQueue()
        queue.begin()
        queue.add([entry(1, key: "a"), entry(2, key: "a"), entry(3, key: "b")])
        #expect(ids(queue.start()) == ["c1", "c3"])
        #expect(queue.start().isEmpty)
        queue.finish(entry(1, key: "a"))
        #expect(ids(queue.start()) == ["c2"])
    }

    @Test func noMoreThanTheLimitAreInWork() {
        var queue = AcceptedCommandQueue()
        queue.begin()
        queue.add((1...100).map { entry($0) })
        #expect(queue.start().count == AcceptedCommandQueue.limit)
        queue.finish(entry(1))
        #expect(ids(queue.start()) == ["c\(AcceptedCommandQueue.limit + 1)"])
    }

    @Test func slowEndpointsHoldUpNoRegistration() {
        let limit = AcceptedCommandQueue.limit
        var queue = AcceptedCommandQueue()
        queue.begin()
        queue.add((1...100).map { entry($0) })
        #expect(queue.start().count == limit)
        let registrations = (101...200).map { number in
            let command = AcceptedCommand(
                id: "c\(number)", fingerprint: "", work: .register(RegistrationRequest(repo: "o/m")),
                revision: Int64(number), at: noon)
            return AcceptedCommandQueue.Entry(command: command, key: "k\(number)")
        }
        queue.add(registrations)
        #expect(ids(queue.start()) == (101...100 + limit).map { "c\($0)" })
        queue.finish(entry(1))
        #expect(ids(queue.start()) == ["c\(limit + 1)"])
    }

    @Test func whatIsInWorkIsNotTakenAgainAfterANewBeginning() {
        var queue = AcceptedCommandQueue()
        queue.begin()
        queue.add([entry(1), entry(2)])
        _ = queue.start()
        queue.begin()
        #expect(queue.seenThrough == 0)
        queue.add([entry(1), entry(2), entry(3)])
        #expect(ids(queue.start()) == ["c3"])
        #expect(queue.seenThrough == 3)
    }

    @Test func aStandbyBeginsNothing() {
        var queue = AcceptedCommandQueue()
        queue.add([entry(1)])
        #expect(queue.start().isEmpty)
        queue.begin()
        queue.add([entry(1)])
        queue.end()
        #expect(queue.start().isEmpty)
    }

    @Test func thoseThatWaitForTheSameCanShareItsOutcome() {
        var queue = AcceptedCommandQueue()
        queue.begin()
        queue.add([entry(1, key: "a"), entry(2, key: "a"), entry(3, key: "b"), entry(4, key: "a")])
        _ = queue.start()
        #expect(queue.join("a").map(\.id) == ["c2", "c4"])
        queue.finish(entry(1, key: "a"))
        #expect(queue.start().isEmpty)
    }
}
