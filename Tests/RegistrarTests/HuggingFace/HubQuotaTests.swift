import Catalog
import Curl
import Synchronization
import Testing

@testable import Registrar

@Suite(.timeLimit(.minutes(1))) struct HubQuotaTests {
    private let now = ContinuousClock.now

    private func note(_ quota: HubQuota, _ status: Int, _ headers: [String: String]) {
        quota.note(status: status, header: { headers[$0] }, now: now)
    }

    @Test func aRefusalHoldsForEverybody() {
        let quota = HubQuota()
        note(quota, 429, ["RateLimit": #""api";r=0;t=55"#])
        #expect(quota.opening(for: .registration, now: now) == now + .seconds(55))
        #expect(quota.opening(for: .background, now: now) == now + .seconds(56))
        #expect(quota.opening(for: .registration, now: now + .seconds(56)) == nil)
        note(quota, 429, ["Retry-After": "70", "RateLimit": #""api";r=0;t=55"#])
        #expect(quota.opening(for: .registration, now: now) == now + .seconds(70))
    }

    @Test func aRefusalWithoutATimeHoldsForTheBackground() {
        let quota = HubQuota()
        note(quota, 429, [:])
        #expect(quota.opening(for: .registration, now: now) == nil)
        #expect(quota.opening(for: .background, now: now) == now + .seconds(30))
    }

    @Test func theBackgroundLeavesAReserve() {
        let quota = HubQuota()
        let policy = #""fixed window";"api";q=500;w=300"#
        note(quota, 200, ["RateLimit": #""api";r=101;t=200"#, "RateLimit-Policy": policy])
        #expect(quota.opening(for: .background, now: now) == nil)
        note(quota, 200, ["RateLimit": #""api";r=100;t=200"#, "RateLimit-Policy": policy])
        #expect(quota.opening(for: .background, now: now) == now + .seconds(200))
        #expect(quota.opening(for: .registration, now: now) == nil)
        note(quota, 200, ["RateLimit": #""api";r=499;t=300"#, "RateLimit-Policy": policy])
        #expect(quota.opening(for: .background, now: now) == nil)
    }

    /// A Hub that allows six requests a second, and counts what it refuses.
    private final class LimitedHub: Sendable {
        struct State {
            var window = ContinuousClock.now
            var used = 0
            var refused = 0
        }

        let state = Mutex(State())

        func answer() -> HubServer.Action {
            let (left, isRefused) = state.withLock { state in
                if state.window + .seconds(1) <= .now {
                    state.window = .now
                    state.used = 0
                }
                state.used += 1
                if state.used > 6 { state.refused += 1 }
                return (max(0, 6 - state.used), state.used > 6)
            }
            let headers = [
                #"RateLimit: "api";r=\#(left);t=1"#, #"RateLimit-Policy: "fixed window";"api";q=6;w=1"#,
            ]
            return isRefused
                ? .answer(status: 429, headers: headers, body: [])
                : .answer(headers: headers, body: SampleRepository.small.answer)
        }
    }

    @Test("Background questions stop when the quota is nearly used up, and a person is answered meanwhile")
    func backgroundAndAPerson() async throws {
        let limited = LimitedHub()
        let hub = HubServer { _ in limited.answer() }
        let lookup = HubLookup(hub: try HubAddress(hub.url), token: nil, client: HTTPClient())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<5 { _ = try await lookup.live(repo: "Org/Name", revision: "main", now: 9) }
                }
            }
            for _ in 0..<3 {
                _ = try await lookup.record(for: RegistrationRequest(repo: "Org/Name"), now: 9) { _ in }
            }
            try await group.waitForAll()
        }
        // Four are under way at once, so a few may be too many in each of the four seconds that this takes.
        #expect(limited.state.withLock { $0.refused } <= 12)
        #expect(hub.requests.count >= 23)
    }
}
