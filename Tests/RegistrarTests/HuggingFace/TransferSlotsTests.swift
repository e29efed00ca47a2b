import Testing

@testable import Registrar

@Suite(.timeLimit(.minutes(1))) struct TransferSlotsTests {
    @Test func theyAreTakenInOrder() async throws {
        let slots = TransferSlots(count: 1)
        let order = Notes<Int>()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await slots.run { for await _ in gate { break } }
        }
        while slots.freeCount > 0 { await Task.yield() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                group.addTask { try await slots.run { order.add(number) } }
                while slots.waitingCount <= number { await Task.yield() }
            }
            open.yield()
            try await group.waitForAll()
        }
        try await first.value
        #expect(order.all == [0, 1, 2, 3, 4])
        #expect(slots.freeCount == 1)
    }

    @Test func theirNumberCanChange() async throws {
        let slots = TransferSlots(count: 1)
        #expect(await slots.acquire())
        let others = (0..<3).map { _ in Task { await slots.acquire() } }
        while slots.waitingCount < 3 { await Task.yield() }
        slots.setCount(3)
        #expect(slots.waitingCount == 1 && slots.freeCount == 0)
        slots.setCount(1)
        #expect(slots.freeCount == -2)
        slots.release()
        slots.release()
        #expect(slots.waitingCount == 1, "one is still taken")
        slots.release()
        for other in others { #expect(await other.value) }
        slots.release()
        #expect(slots.freeCount == 1)
    }

    @Test func whoIsCancelledWaitsNoLonger() async throws {
        let slots = TransferSlots(count: 1)
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await slots.run { for await _ in gate { break } }
        }
        while slots.freeCount > 0 { await Task.yield() }
        let second = Task { try await slots.run {} }
        while slots.waitingCount == 0 { await Task.yield() }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        let third = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await slots.run {}
        }
        await #expect(throws: CancellationError.self) { try await third.value }
        #expect(slots.waitingCount == 0)
        open.yield()
        try await first.value
        #expect(slots.freeCount == 1)
        // Nothing that was cancelled is remembered.
        try await slots.run {}
    }

    @Test func aFailureGivesItBack() async {
        struct Failure: Error {}
        let slots = TransferSlots(count: 1)
        await #expect(throws: Failure.self) { try await slots.run { throw Failure() } }
        #expect(slots.freeCount == 1)
    }
}
