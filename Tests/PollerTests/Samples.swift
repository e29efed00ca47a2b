import Synchronization

@testable import Catalog
@testable import Poller

/// Records, rows, and clocks for the tests.
enum Samples {
    static func endpoint(
        _ id: String, url: String? = nil, kind: EndpointKind = .auto, interval: Int? = nil, generation: Int64 = 1,
        key: String? = nil
    ) -> EndpointRecord {
        EndpointRecord(
            id: id, name: id, baseURL: url ?? "http://\(id).test:8000", kind: kind, pollIntervalSeconds: interval,
            sealedAPIKey: key, generation: generation, revision: generation, createdAt: 0)
    }

    static func model(_ id: String, context: Int? = nil, firstSeen: Int64 = 0) -> ModelEntry {
        ModelEntry(id: ModelID(id), contextLength: context, firstSeen: firstSeen)
    }

    static func row(
        _ id: String, tick: Int64, state: EndpointState = .online, failures: Int = 0, generation: Int64 = 1,
        poller: String = "p1"
    ) -> SnapshotRow {
        SnapshotRow(
            endpoint: id, generation: generation, tick: tick, poller: poller, state: state, failures: failures,
            observedAt: 0)
    }

    static func view(_ record: EndpointRecord, _ row: SnapshotRow? = nil, models: [ModelEntry] = []) -> EndpointView {
        EndpointView(
            record: record,
            snapshot: row.map { EndpointSnapshot(health: $0, modelsTick: $0.tick, digest: $0.digest, models: models) })
    }
}

/// A clock that stands still until it is moved; those who wait on it are woken then.
final class ManualClock: Sendable {
    private struct State {
        var now = Duration.zero
        var sleepers: [(until: Duration, wake: CheckedContinuation<Void, Never>)] = []
        var watchers: [(count: Int, wake: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())
    static let wall: Int64 = 1_800_000_000_000

    var clock: PollerClock {
        PollerClock(
            monotonic: { self.state.withLock { $0.now } },
            wallMilliseconds: { Self.wall + self.state.withLock { $0.now.milliseconds } },
            pause: { duration in
                await withCheckedContinuation { continuation in
                    let watchers = self.state.withLock { state in
                        state.sleepers.append((state.now + duration, continuation))
                        let ready = state.watchers.filter { $0.count <= state.sleepers.count }
                        state.watchers.removeAll { $0.count <= state.sleepers.count }
                        return ready
                    }
                    for watcher in watchers { watcher.wake.resume() }
                }
            })
    }

    /// Returns once so many are waiting.
    func sleepers(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.sleepers.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            let now = state.now
            let due = state.sleepers.filter { $0.until <= now }
            state.sleepers.removeAll { $0.until <= now }
            return due
        }
        for sleeper in due { sleeper.wake.resume() }
    }
}

/// A server that answers by path; what it does not know gets `fallback`. A POST is asked for as `POST path`, and a request
/// with Anthropic's headers as `anthropic path`, if there is such an answer.
final class ScriptedServer: EndpointTransport {
    private let answers: [String: Result<EndpointAnswer, PollError>]
    private let fallback: Result<EndpointAnswer, PollError>
    private let asked = Mutex<[EndpointRequest]>([])

    init(
        _ answers: [String: Result<EndpointAnswer, PollError>],
        fallback: Result<EndpointAnswer, PollError> = .success(EndpointAnswer(status: 404, body: Array("nope".utf8)))
    ) {
        self.answers = answers
        self.fallback = fallback
    }

    var requests: [EndpointRequest] { asked.withLock { $0 } }
    /// Paths in the order in which they were asked.
    var paths: [String] { requests.map { path(of: $0.url) } }

    private func path(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://"), let slash = url[scheme.upperBound...].firstIndex(of: "/") else {
            return "/"
        }
        return String(url[slash...])
    }

    func send(_ request: EndpointRequest, timeout: Duration, _ completion: @escaping Completion) {
        asked.withLock { $0.append(request) }
        let path = path(of: request.url)
        if let body = request.body {
            let whole = "POST \(path) \(String(decoding: body, as: UTF8.self))"
            return completion(answers[whole] ?? answers["POST \(path)"] ?? fallback)
        }
        let special = request.isAnthropic ? answers["anthropic \(path)"] : nil
        completion(special ?? answers[path] ?? fallback)
    }
}

extension EndpointAnswer {
    static func ok(_ text: String) -> Result<EndpointAnswer, PollError> {
        .success(EndpointAnswer(status: 200, body: Array(text.utf8)))
    }
}
