import Catalog
import Curl
import Synchronization
import Testing

@testable import Poller

@Suite(.timeLimit(.minutes(1)))
struct VerificationRunnerTests {
    /// An endpoint that takes 30 ms to say one thing.
    final class Endpoint: GenerationTransport {
        struct Request: Sendable, Hashable {
            var url: String
            var key: String?
            var timeout: Duration
        }

        let time: ManualClock
        let answer: Result<EndpointAnswer, HTTPError>
        let requests = Mutex<[Request]>([])

        init(_ time: ManualClock, _ answer: Result<EndpointAnswer, HTTPError>) {
            self.time = time
            self.answer = answer
        }

        func post(
            _ url: String, body: [UInt8], key: String?, timeout: Duration
        ) async throws(HTTPError) -> EndpointAnswer {
            requests.withLock { $0.append(Request(url: url, key: key, timeout: timeout)) }
            time.advance(by: .milliseconds(30))
            return try answer.get()
        }
    }

    struct Refused: Error {}

    let time = ManualClock()
    let published = Box<[VerifyResult]>([])
    static let hello = Result<EndpointAnswer, HTTPError>.success(
        EndpointAnswer(
            status: 200,
            body: Array(#"{"choices":[{"message":{"content":"Hello"}}],"usage":{"completion_tokens":2}}"#.utf8)))

    final class Box<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: sending Value) { self.value = Mutex(value) }
    }

    func job(generation: Int64 = 3, number: Int64 = 7, key: String? = nil, timeout: Int = 20_000) -> VerifyJob {
        VerifyJob(
            registration: "a/b", number: number, endpoint: Samples.endpoint("e", generation: generation, key: key),
            model: ModelID("m"), timeoutMilliseconds: timeout)
    }

    func runner(
        _ endpoint: Endpoint, record: EndpointRecord? = Samples.endpoint("e", generation: 3),
        held: VerifyResult? = nil, keyRing: KeyRing? = nil, confirms: Bool = true
    ) -> VerificationRunner {
        VerificationRunner(
            poller: "me", clock: time.clock, transport: endpoint, keys: EndpointKeys(keyRing: keyRing),
            endpoint: { _ in record }, result: { _, _ in held },
            publish: { [published] result in
                guard confirms else { throw Refused() }
                published.value.withLock { $0.append(result) }
            })
    }

    var results: [VerifyResult] { published.value.withLock { $0 } }

    @Test func aGenerationIsReported() async throws {
        let endpoint = Endpoint(time, Self.hello)
        #expect(await runner(endpoint).run(job()) == .reported)
        #expect(
            results == [
                VerifyResult(
                    registration: "a/b", number: 7, endpoint: "e", generation: 3, model: ModelID("m"), outcome: .ok,
                    tokens: 2,
                    latencyMilliseconds: 30, text: "Hello", by: "me", at: ManualClock.wall + 30)
            ])
        #expect(
            endpoint.requests.withLock { $0 } == [
                .init(url: "http://e.test:8000/v1/chat/completions", key: nil, timeout: .seconds(20))
            ])
    }

    @Test(arguments: [HTTPError.Code.timeout, .connectTimeout])
    func noAnswerInTimeIsATimeout(code: HTTPError.Code) async {
        #expect(await runner(Endpoint(time, .failure(HTTPError(code, "late")))).run(job()) == .reported)
        #expect(results.map(\.outcome) == [.timeout])
        #expect(results.first?.error == PollFailure(code: code.description, message: "late"))
        #expect(results.first?.latencyMilliseconds == 30 && results.first?.text == nil)
    }

    @Test func anythingElseIsAnError() async {
        #expect(await runner(Endpoint(time, .failure(HTTPError(.connect, "refused")))).run(job()) == .reported)
        let page = EndpointAnswer(status: 502, body: Array("<html>".utf8))
        #expect(await runner(Endpoint(time, .success(page))).run(job()) == .reported)
        #expect(results.map(\.outcome) == [.error, .error])
        #expect(results.map(\.error?.code) == ["connect_failed", "http_status"])
        #expect(results.map(\.latencyMilliseconds) == [nil, 30])
    }

    @Test func keysAreSentOpened() async throws {
        let ring = try KeyRing("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        let sealed = try ring.seal("sk-secret", for: "e")
        let endpoint = Endpoint(time, Self.hello)
        #expect(await runner(endpoint, keyRing: ring).run(job(key: sealed)) == .reported)
        #expect(endpoint.requests.withLock { $0.map(\.key) } == ["sk-secret"])
        #expect(await runner(endpoint).run(job(key: sealed)) == .reported)
        #expect(results.last?.error?.code == "key_unreadable")
        #expect(endpoint.requests.withLock { $0.count } == 1, "not asked without its key")
    }

    @Test func anEndpointThatWasChangedOrRemovedIsNotAsked() async {
        let endpoint = Endpoint(time, Self.hello)
        #expect(await runner(endpoint, record: nil).run(job()) == .reported)
        let changed = Samples.endpoint("e", generation: 4)
        #expect(await runner(endpoint, record: changed).run(job()) == .reported)
        #expect(results.map(\.error?.code) == ["endpoint_changed", "endpoint_changed"])
        #expect(results.map(\.outcome) == [.error, .error])
        #expect(endpoint.requests.withLock { $0.isEmpty })
        // The registrar has seen a change that is not here yet.
        let older = Samples.endpoint("e", generation: 2)
        #expect(await runner(endpoint, record: older).run(job()) == .reported)
        #expect(results.last?.outcome == .ok)
    }

    @Test func whatIsDoneIsNotDoneAgain() async {
        func held(_ number: Int64, by poller: String) -> VerifyResult {
            VerifyResult(
                registration: "a/b", number: number, endpoint: "e", generation: 3, model: ModelID("m"), outcome: .error,
                by: poller,
                at: 0)
        }
        for done in [held(7, by: "other"), held(8, by: "other"), held(8, by: VerifyResult.registrar)] {
            let endpoint = Endpoint(time, Self.hello)
            #expect(await runner(endpoint, held: done).run(job()) == .reported)
            #expect(endpoint.requests.withLock { $0.isEmpty } && results.isEmpty)
        }
        for open in [held(6, by: "other"), held(7, by: VerifyResult.registrar)] {
            let endpoint = Endpoint(time, Self.hello)
            #expect(await runner(endpoint, held: open).run(job()) == .reported)
            #expect(endpoint.requests.withLock { $0.count } == 1, "by \(open.by)")
        }
        #expect(results.map(\.number) == [7, 7])
    }

    @Test func aResultThatIsNotConfirmedIsNotReported() async {
        #expect(await runner(Endpoint(time, Self.hello), confirms: false).run(job()) == .unconfirmed)
    }

    @Test func whatIsCancelledIsNotPublished() async {
        let runner = runner(Endpoint(time, .failure(HTTPError(.cancelled, "stopping"))))
        let task = Task {
            await withCheckedContinuation { $0.resume() }
            while !Task.isCancelled { await Task.yield() }
            return await runner.run(job())
        }
        task.cancel()
        #expect(await task.value == .unconfirmed)
        #expect(results.isEmpty)
    }

    @Test func aTimeHasItsLimit() async {
        let endpoint = Endpoint(time, Self.hello)
        #expect(await runner(endpoint).run(job(timeout: .max)) == .reported)
        #expect(endpoint.requests.withLock { $0.map(\.timeout) } == [VerificationRunner.longestTimeout])
    }
}
