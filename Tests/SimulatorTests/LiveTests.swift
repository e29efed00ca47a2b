import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

@Suite("Over real sockets", .timeLimit(.minutes(1)))
struct LiveTests {
    @Test("Answers, resets, and lets a hanging client go")
    func live() async throws {
        let fleet = sampleFleet()
        try await withClient(fleet) { client in
            try await client.execute(uri: "/e/vllm/v1/models", method: .get) { response in
                #expect(response.status == .ok)
                let list = try object(response)
                #expect((list["data"] as? [Any])?.count == 2)
            }
        }
        for fault in [Behaviour.Fault.reset, .hang] {
            try await withClient(sampleFleet(Behaviour(fault: fault))) { client in
                await #expect(throws: (any Error).self) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            try await client.execute(uri: "/e/vllm/v1/models", method: .get) { _ in }
                        }
                        group.addTask {
                            // A hanging server never answers: this is how long the client has patience.
                            try await Task.sleep(for: .milliseconds(fault == .hang ? 300 : 20000))
                            throw CancellationError()
                        }
                        do {
                            try await group.next()
                        } catch {
                            #expect((error is CancellationError) == (fault == .hang))
                            throw error
                        }
                    }
                }
            }
        }
    }
}
