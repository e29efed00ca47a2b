import Catalog
import Curl
import Glibc
import Synchronization
import Testing

@testable import Registrar

extension HubLookupTests {
    /// Servers that are wrong, slow, or hostile, and requests that are.
    @Suite struct Attacks {
        @Test(arguments: [
            "http://127.0.0.1:OTHER/x", "http://127.0.0.1:1/x", "http://localhost:PORT/x", "https://127.0.0.1:PORT/x",
            "//127.0.0.1:OTHER/x", "//evil.example/x", "http://evil.example/x",
            "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd", "file:/etc/passwd", "ftp://127.0.0.1:PORT/x", "gopher://127.0.0.1:PORT/x",
            "http://user@127.0.0.1:PORT/x", "http://127.0.0.1:PORT@127.0.0.1:OTHER/x", "http:127.0.0.1:OTHER",
            "javascript:alert(1)", "data:text/json,{}", "http://127.0.0.1:PORT\\@127.0.0.1:OTHER/x", "/x y", "",
            "http://[::1]:PORT/x", "http://127.0.0.1:0PORT/x", "http://127.1:OTHER/x", "http://0x7f000001:OTHER/x",
        ])
        func redirectsElsewhere(_ location: String) async throws {
            let other = HubServer { _ in .answer(body: SampleRepository.small.answer) }
            let hub = HubServer { request in
                let port = request.header("Host")?.split(separator: ":").last ?? ""
                return .redirect(
                    location.replacing("PORT", with: port).replacing("OTHER", with: String(other.port)))
            }
            let probe = try LookupProbe(hub.url)
            #expect(await probe.outcome() == "502 hub_error")
            #expect(other.requests.isEmpty)
            #expect(probe.waits.isEmpty)
            #expect(hub.requests.allSatisfy { $0.header("Authorization") == "Bearer \(LookupProbe.token)" })
        }

        @Test func redirectsInCircles() async throws {
            let hub = HubServer { _ in .redirect("/api/models/Org/Name") }
            #expect(await (try LookupProbe(hub.url)).outcome() == "502 hub_error")
            #expect(hub.requests.count == 6)
        }

        @Test(arguments: [
            "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nContent-Length: 1073741824",
            "HTTP/1.1 500 Error\r\nContent-Length: 1073741824",
        ])
        func hugeAnswers(_ head: String) async throws {
            let hub = HubServer { _ in .endless(head) }
            #expect(await (try LookupProbe(hub.url)).outcome() == "502 hub_error")
            #expect(hub.sentBytes < 3 * (48 << 20))
        }

        @Test func truncatedAnswers() async throws {
            let hub = HubServer { _ in .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{") }
            let probe = try LookupProbe(hub.url)
            #expect(await probe.outcome() == "502 hub_error")
            #expect(hub.requests.count == 3)
            #expect(probe.waits == [.milliseconds(625), .milliseconds(1250)])
        }

        @Test func silence() async throws {
            let hub = HubServer { _ in .silence }
            let probe = try LookupProbe(hub.url) { limits in
                limits.requestTimeout = .milliseconds(300)
                limits.lookupTimeout = .milliseconds(700)
                limits.retryDelay = .milliseconds(1)
            }
            let clock = ContinuousClock()
            let start = clock.now
            #expect(await probe.outcome() == "504 hub_timeout")
            #expect(clock.now - start < .seconds(3))
            #expect((1...3).contains(hub.requests.count))
        }

        @Test func silenceEndsWithTheTask() async throws {
            let hub = HubServer { _ in .silence }
            let probe = try LookupProbe(hub.url)
            let task = Task { await probe.outcome() }
            while hub.requests.isEmpty { await Task.yield() }
            let clock = ContinuousClock()
            let start = clock.now
            task.cancel()
            #expect(await task.value == "503 registrar_stopping")
            #expect(clock.now - start < .seconds(2))
        }

        @Test func noServer() async throws {
            let port = HubServer { _ in .silence }.port
            let probe = try LookupProbe("http://127.0.0.1:\(port)")
            #expect(await probe.outcome() == "502 hub_error")
            #expect(probe.waits.count == 2)
        }

        @Test func plainTextWhereTLSShouldBe() async throws {
            let hub = HubServer { _ in .raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") }
            #expect(await (try LookupProbe("https://127.0.0.1:\(hub.port)")).outcome() == "502 hub_error")
            #expect(hub.requests.isEmpty)
        }

        @Test(arguments: [
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!DOCTYPE html><h1>hf_verysecret</h1>",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n{\"sha\":\"hf_verysecret\"}", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 418 hf_verysecret\r\nContent-Length: 0\r\n\r\n", "hf_verysecret\r\n\r\n",
            "HTTP/1.1 401 No\r\nX-Error-Message: Invalid credentials hf_verysecret\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 503 No\r\nX-Error-Message: hf_verysecret\r\nContent-Length: 0\r\n\r\n",
        ])
        func nonsense(_ answer: String) async throws {
            let hub = HubServer { _ in .raw(answer) }
            let rejection = try #require(await (try LookupProbe(hub.url)).rejection())
            #expect(rejection.status == 502 && rejection.error.code == "hub_error")
            #expect(!rejection.error.message.contains("hf_verysecret"))
        }

        @Test func limitsAreWaitedForWhereThatIsShort() async throws {
            let count = Counter()
            let hub = HubServer { _ in
                count.next() < 4
                    ? .answer(status: 429, headers: ["Retry-After: 2"], body: [])
                    : .answer(body: SampleRepository.small.answer)
            }
            let probe = try LookupProbe(hub.url)
            #expect(await probe.outcome() == SampleRepository.smallOutcome)
            // More often than other problems are tried again, and ever less often.
            #expect(probe.waits == [2125, 2125, 2125, 4125].map { .milliseconds($0) })
        }

        @Test(arguments: [(1, 3), (60, 1)])
        func problemsThatSayHowLong(_ seconds: Int, _ requests: Int) async throws {
            let hub = HubServer { _ in .answer(status: 503, headers: ["Retry-After: \(seconds)"], body: []) }
            let probe = try LookupProbe(hub.url)
            let rejection = try #require(await probe.rejection())
            #expect(rejection.error.code == "hub_error" && rejection.retryAfter == seconds)
            #expect(hub.requests.count == requests)
            #expect(probe.waits == Array(repeating: .milliseconds(1125), count: requests - 1))
        }

        @Test func limitsAreNotWaitedForBeyondTheTime() async throws {
            let hub = HubServer { _ in .answer(status: 429, headers: ["Retry-After: 4"], body: []) }
            let probe = try LookupProbe(hub.url) { $0.lookupTimeout = .seconds(3) }
            let rejection = try #require(await probe.rejection())
            #expect(rejection.status == 429 && rejection.retryAfter == 4 && hub.requests.count == 1)
        }

        @Test func problemsThatPass() async throws {
            let count = Counter()
            let hub = HubServer { _ in
                switch count.next() {
                case 0: .answer(status: 502, body: Array("<html>".utf8))
                case 1: .raw("")
                default: .answer(body: SampleRepository.small.answer)
                }
            }
            #expect(await (try LookupProbe(hub.url)).outcome() == SampleRepository.smallOutcome)
        }

        @Test(arguments: [400, 401, 403, 404])
        func problemsThatDoNotPassAreNotTriedAgain(_ status: Int) async throws {
            let hub = HubServer { _ in .answer(status: status, body: []) }
            _ = await (try LookupProbe(hub.url)).outcome()
            #expect(hub.requests.count == 1)
        }

        @Test func anIndexOfAMillionShards() async throws {
            var map = "{\"weight_map\":{"
            map.reserveCapacity(32 << 20)
            for number in 100_000..<1_100_000 { map += "\"\(number)\":\"\(number).safetensors\"," }
            map += "\"x\":\"x.safetensors\"}}"
            #expect(map.utf8.count < 32 << 20)
            let hub = HubServer.serving(
                .sharded, files: ["config.json": .text("{}"), "model.safetensors.index.json": .text(map)])
            #expect(await (try LookupProbe(hub.url)).outcome() == "400 unsupported_artifact")
            #expect(!hub.targets.contains { $0.contains(".safetensors?") || $0.hasSuffix(".safetensors") })
        }

        @Test(arguments: [
            "../../../etc/passwd", "/etc/passwd", "a/../model-00001-of-00001.safetensors", "\\u0000", "a\\\\b",
        ])
        func anIndexOfPathsElsewhere(_ path: String) async throws {
            let hub = HubServer.serving(
                .sharded,
                files: [
                    "config.json": .text("{}"),
                    "model.safetensors.index.json": .text("{\"weight_map\":{\"a\":\"\(path)\"}}"),
                ])
            let rejection = try #require(await (try LookupProbe(hub.url)).rejection())
            #expect(rejection.error.code == "incomplete_shards")
            #expect(hub.targets.dropFirst().allSatisfy { $0.hasSuffix(".json") || $0.hasSuffix(".jinja") })
        }

        @Test(arguments: [
            "../x.gguf", "/etc/x.gguf", "a\\b.gguf", "a\nb.gguf", "a\u{0}.gguf", String(repeating: "a", count: 1025),
        ])
        func aListOfPathsElsewhere(_ path: String) async throws {
            let hub = HubServer.serving(SampleRepository([path, "a-Q4_0.gguf"]))
            #expect(await (try LookupProbe(hub.url)).outcome() == "502 hub_error")
        }

        /// What no repository can be called is refused before anybody is asked.
        @Test(arguments: RepositoryReferenceTests.refused.map(\.text))
        func hostileRepositories(_ text: String) async throws {
            let hub = HubServer.serving(.small)
            let probe = try LookupProbe(hub.url)
            #expect(
                await probe.rejection(RegistrationRequest(repo: text)).map { (400...404).contains($0.status) } == true)
            #expect(hub.requests.isEmpty && probe.steps.isEmpty)
        }

        @Test(arguments: ["a%2F..%2F..", "main?x=y", "main#x", "a&b=c", "%00"])
        func revisionsAreEncoded(_ revision: String) async throws {
            let hub = HubServer.serving(.small)
            _ = await (try LookupProbe(hub.url)).outcome(RegistrationRequest(repo: "Org/Name", revision: revision))
            #expect(
                hub.targets.allSatisfy { target in
                    target == "/api/models/Org/Name/revision/\(PercentEncoding.encode(revision))?blobs=true"
                })
        }

        @Test func transfersAtOnceAreBounded() async throws {
            let gauge = Gauge()
            let hub = HubServer { _ in
                gauge.enter()
                usleep(20_000)
                gauge.leave()
                return .answer(body: SampleRepository.small.answer)
            }
            let probe = try LookupProbe(hub.url) { $0.concurrentTransfers = 3 }
            await withTaskGroup(of: String.self) { group in
                for _ in 0..<24 { group.addTask { await probe.outcome() } }
                for await outcome in group { #expect(outcome == SampleRepository.smallOutcome) }
            }
            #expect(hub.requests.count == 24)
            #expect((2...3).contains(gauge.most))
        }

        @Test func waitingForATransferCountsAsTime() async throws {
            let slots = TransferSlots(count: 1)
            let (gate, open) = AsyncStream.makeStream(of: Void.self)
            let holder = Task {
                try await slots.run { for await _ in gate { break } }
            }
            while slots.freeCount > 0 { await Task.yield() }
            let hub = HubServer.serving(.small)
            let connection = HubConnection(
                hub: try HubAddress(hub.url), token: nil, client: HTTPClient(), limits: HubLimits(), pauses: .real,
                slots: slots)
            await #expect(throws: Rejection.hubTimeout) {
                try await connection.get(
                    hub.url, subject: .file("x"), maximumBytes: 100, deadline: .now + .milliseconds(200))
            }
            #expect(slots.waitingCount == 0 && hub.requests.isEmpty)
            open.yield()
            try await holder.value
        }
    }
}

/// Counts up.
private final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock { value in
            defer { value += 1 }
            return value
        }
    }
}

/// How many are inside at once, at most.
private final class Gauge: Sendable {
    private let state = Mutex((inside: 0, most: 0))

    var most: Int { state.withLock { $0.most } }

    func enter() {
        state.withLock {
            $0.inside += 1
            $0.most = max($0.most, $0.inside)
        }
    }

    func leave() { state.withLock { $0.inside -= 1 } }
}
