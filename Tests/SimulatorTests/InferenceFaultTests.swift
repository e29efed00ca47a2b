import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

@Suite("Faults of inference over real sockets", .timeLimit(.minutes(1)))
struct InferenceFaultTests {
    private static let path = "/e/vllm/v1/chat/completions"
    private static let streamed = #"{"model":"org/one","stream":true,"max_tokens":9}"#
    private static let whole = #"{"model":"org/one"}"#

    private func withEndpoint(
        _ behaviour: Behaviour, _ test: @escaping @Sendable (RawClient, Fleet) async throws -> Void
    ) async throws {
        let fleet = sampleFleet(behaviour)
        try await withClient(fleet) { client in
            let raw = try RawClient(port: client.port)
            defer { raw.leave() }
            try await test(raw, fleet)
        }
    }

    /// The counts of the endpoint once a client has gone so often.
    private func counts(_ fleet: Fleet, closedByClient: Int) async throws -> StreamCounts {
        while true {
            let counts = try #require(fleet.endpoint("vllm")).streams
            if counts.closedByClient >= closedByClient { return counts }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test(
        "An answer breaks off as its fault says",
        arguments: [
            (Behaviour.CompletionFault.closeAfterHeaders, 0, RawClient.Ending.closed), (.halfChunk, 0, .closed),
            (.resetMidway, 3, .reset), (.stall, 3, .stillOpen), (.none, 9, .stillOpen),
        ])
    func breaks(fault: Behaviour.CompletionFault, tokens: Int, ending: RawClient.Ending) async throws {
        try await withEndpoint(Behaviour(completionFault: fault)) { client, fleet in
            try client.post(Self.path, Self.streamed)
            let seen = await client.read(until: fault == .none ? "[DONE]" : fault == .stall ? "\"sequence\":2" : nil)
            #expect(seen.text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(seen.ending == ending)
            if ending == .stillOpen { #expect(await client.read(patience: .milliseconds(100)).ending == .stillOpen) }
            #expect(seen.text.components(separatedBy: "\"sequence\"").count - 1 == tokens)
            #expect(seen.text.contains("data: {") == (fault != .closeAfterHeaders))
            #expect(seen.text.contains("[DONE]") == (fault == .none))
            #expect(fleet.endpoint("vllm")?.streams.open == (fault == .stall ? 1 : 0))
            #expect(fleet.endpoint("vllm")?.streams.closedByClient == 0)
        }
        try await withEndpoint(Behaviour(completionFault: fault)) { client, _ in
            try client.post(Self.path, Self.whole)
            let seen = await client.read(until: fault == .none ? "usage" : fault == .stall ? "chatcmpl" : nil)
            #expect(seen.text.hasPrefix("HTTP/1.1 200 OK\r\n") && seen.ending == ending)
            if ending == .stillOpen { #expect(await client.read(patience: .milliseconds(100)).ending == .stillOpen) }
            #expect(seen.text.contains(#""usage""#) == (fault == .none))
        }
    }

    @Test("A reset comes in place of any byte")
    func reset() async throws {
        try await withEndpoint(Behaviour(completionFault: .reset)) { client, _ in
            try client.post(Self.path, Self.streamed)
            let seen = await client.read()
            #expect(seen.bytes == 0 && seen.ending == .reset)
        }
    }

    @Test(
        "A proxy before a server that is gone",
        arguments: [(Behaviour.CompletionFault.badGateway, 502), (.unavailable, 503), (.gatewayTimeout, 504)])
    func proxies(fault: Behaviour.CompletionFault, status: Int) async throws {
        try await withEndpoint(Behaviour(completionFault: fault)) { client, _ in
            try client.post(Self.path, Self.whole)
            let seen = await client.read(until: "</html>")
            #expect(seen.text.hasPrefix("HTTP/1.1 \(status) ") && seen.text.contains("text/html"))
        }
    }

    @Test("Headers come late, and only those of inference")
    func slowHeaders() async throws {
        for behaviour in [
            Behaviour(firstByteMilliseconds: 300), Behaviour(completionFault: .slowHeaders, firstByteMilliseconds: 300),
        ] {
            try await withEndpoint(behaviour) { client, _ in
                let clock = ContinuousClock()
                let start = clock.now
                try client.post(Self.path, Self.whole)
                _ = await client.read(until: "HTTP/1.1 200 OK")
                #expect(clock.now - start >= .milliseconds(300))
            }
        }
        #expect(Behaviour(completionFault: .slowHeaders).firstByteDelay == .seconds(5))
    }

    @Test("A gigabyte is sent as it is taken")
    func huge() async throws {
        try await withEndpoint(Behaviour(completionFault: .huge)) { client, fleet in
            try client.post(Self.path, Self.whole)
            let seen = await client.read(bytes: 20_000_000)
            #expect(seen.bytes >= 20_000_000 && seen.ending == .stillOpen)
            client.leave()
            #expect(try await counts(fleet, closedByClient: 1).open == 0)
        }
    }

    @Test(
        "A client that goes is noticed at once, whatever the answer waits for",
        arguments: [
            Behaviour(chunkIntervalMilliseconds: 60_000), Behaviour(completionFault: .stall),
            Behaviour(completionFault: .hang), Behaviour(firstByteMilliseconds: 60_000),
        ])
    func disconnect(behaviour: Behaviour) async throws {
        try await withEndpoint(behaviour) { client, fleet in
            try client.post(Self.path, Self.streamed)
            let isStreaming = behaviour.completionFault != .hang && behaviour.firstByteMilliseconds == 0
            if isStreaming { _ = await client.read(until: "\"sequence\"") }
            while fleet.endpoint("vllm")?.lastRequest == nil { try await Task.sleep(for: .milliseconds(2)) }
            #expect(fleet.endpoint("vllm")?.streams.open == 1)
            let left = Fleet.wallClock()
            client.leave()
            let counts = try await counts(fleet, closedByClient: 1)
            #expect(counts.open == 0 && counts.closedByClient == 1)
            let noticed = try #require(counts.lastClosedAt)
            #expect((left...left + 500_000).contains(noticed))
        }
    }

    @Test("A connection that closes between answers is nobody's loss")
    func keepAlive() async throws {
        try await withEndpoint(Behaviour()) { client, fleet in
            for _ in 0..<3 {
                try client.post(Self.path, Self.streamed)
                #expect(await client.read(until: "[DONE]\n\n\r\n0\r\n\r\n").text.hasPrefix("HTTP/1.1 200 OK"))
            }
            try client.post(Self.path, Self.whole, headers: "Connection: close\r\n")
            #expect(await client.read().ending == .closed)
            let other = fleet.endpoint("vllm")?.streams
            #expect(other?.open == 0 && other?.peak == 1 && other?.closedByClient == 0)
        }
    }
}
