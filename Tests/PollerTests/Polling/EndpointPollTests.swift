import Catalog
import Testing

@testable import Poller

struct EndpointPollTests {
    static let tags = EndpointAnswer.ok(
        #"{"models":[{"name":"a","digest":"d","size":5,"details":{"quantization_level":"Q4_0"}}]}"#)
    static let list = EndpointAnswer.ok(#"{"object":"list","data":[{"id":"a","owned_by":"library"}]}"#)

    /// `/api/tags` of an Ollama with these models and their digests.
    static func tags(_ models: KeyValuePairs<String, String>) -> Result<EndpointAnswer, PollError> {
        let entries = models.map { name, digest in
            #"{"name":"\#(name)","digest":"\#(digest)","size":7,"details":{"quantization_level":"Q4_0"}}"#
        }
        return EndpointAnswer.ok(#"{"models":[\#(entries.joined(separator: ","))]}"#)
    }

    func poll(
        _ server: ScriptedServer, _ endpoint: EndpointRecord, detected: EndpointKind? = nil, keyRing: KeyRing? = nil
    ) async throws(PollError) -> EndpointPoll.Outcome {
        var base: SnapshotRow?
        if let detected {
            base = Samples.row(endpoint.id, tick: 1)
            base?.kind = detected
        }
        return try await poll(server, PollItem(endpoint: endpoint, tick: 2, base: base), keyRing: keyRing)
    }

    func poll(
        _ server: ScriptedServer, _ item: PollItem, memo: PollMemo? = nil, keyRing: KeyRing? = nil,
        clock: PollerClock = ManualClock().clock
    ) async throws(PollError) -> EndpointPoll.Outcome {
        let poll = EndpointPoll(
            transport: server, keys: EndpointKeys(keyRing: keyRing), timeout: .seconds(5), clock: clock)
        return try await poll(item, memo: memo)
    }

    /// The item of the poll after `outcome`.
    func next(_ endpoint: EndpointRecord, after outcome: EndpointPoll.Outcome) -> PollItem {
        var base = Samples.row(endpoint.id, tick: 1)
        (base.kind, base.digest, base.models) = (outcome.kind, outcome.digest, outcome.models)
        return PollItem(endpoint: endpoint, tick: 2, base: base)
    }

    /// The models that are given back without reading are those that are held: here they are others, to tell.
    @Test func anEqualAnswerIsNotReadAgain() async throws {
        let server = ScriptedServer(["/v1/models": Self.list])
        let endpoint = Samples.endpoint("e", kind: .openai)
        let first = try await poll(server, endpoint)
        var item = next(endpoint, after: first)
        item.base?.models = [Samples.model("held")]
        let second = try await poll(server, item, memo: first.memo)
        #expect(second.models == [Samples.model("held")])
        #expect(second.digest == first.digest && second.memo == first.memo && second.kind == .openai)

        let other = ScriptedServer(["/v1/models": EndpointAnswer.ok(#"{"data":[{"id":"b"}]}"#)])
        #expect(try await poll(other, item, memo: first.memo).models.map(\.id.value) == ["b"])
        // The catalog holds another list than the one that the answer gave.
        item.base?.digest = "other"
        #expect(try await poll(server, item, memo: first.memo).models.map(\.id.value) == ["a"])
        item.base?.digest = first.digest
        item.endpoint.generation = 2
        #expect(try await poll(server, item, memo: first.memo).models.map(\.id.value) == ["a"])
    }

    @Test func anEqualAnswerIsReadAgainIfItsDetailIsAnother() async throws {
        let tags = Self.tags(["a:1b": "d"])
        let idle = EndpointAnswer.ok(#"{"models":[]}"#)
        let busy = EndpointAnswer.ok(#"{"models":[{"name":"a:1b"}]}"#)
        let endpoint = Samples.endpoint("e", kind: .ollama)
        let first = try await poll(ScriptedServer(["/api/tags": tags, "/api/ps": idle]), endpoint)
        #expect(first.models.map(\.loaded) == [false])
        var item = next(endpoint, after: first)
        item.base?.models = [Samples.model("held")]
        let same = ScriptedServer(["/api/tags": tags, "/api/ps": idle])
        #expect(try await poll(same, item, memo: first.memo).models == [Samples.model("held")])
        #expect(same.paths == ["/api/tags", "/api/ps"], "the model was described before")
        let loaded = ScriptedServer(["/api/tags": tags, "/api/ps": busy])
        #expect(try await poll(loaded, item, memo: first.memo).models.map(\.loaded) == [true])
        let silent = ScriptedServer(["/api/tags": tags, "/api/ps": KindDetectorTests.timeout])
        #expect(try await poll(silent, item, memo: first.memo).models.map(\.loaded) == [nil])
    }

    @Test func ownersThatNameAnotherKindHaveItFoundOutAgain() async throws {
        for (owner, former, kind) in [
            ("vllm", EndpointKind.llamacpp, EndpointKind.vllm), ("llamacpp", .vllm, .llamacpp),
            ("sglang", .vllm, .sglang),
            ("vllm", .openai, .vllm),
        ] {
            let list = EndpointAnswer.ok(#"{"data":[{"id":"a","owned_by":"\#(owner)","max_model_len":5}]}"#)
            let server = ScriptedServer(["/v1/models": list])
            #expect(try await poll(server, Samples.endpoint("e"), detected: former).kind == kind)
            #expect(server.paths == ["/v1/models"])
            #expect(try await poll(server, Samples.endpoint("e", kind: former)).kind == former, "it was stated")
        }
    }

    /// An Ollama that was starting when it was first asked.
    @Test func theKindIsFoundOutAgainOnceAnHour() async throws {
        let time = ManualClock()
        let starting = ScriptedServer(["/v1/models": Self.list])
        let whole = ScriptedServer(["/v1/models": Self.list, "/api/tags": Self.tags])
        let endpoint = Samples.endpoint("e")
        var outcome = try await poll(starting, PollItem(endpoint: endpoint, tick: 1, base: nil), clock: time.clock)
        #expect(outcome.kind == .openai)
        time.advance(by: .seconds(3599))
        outcome = try await poll(whole, next(endpoint, after: outcome), memo: outcome.memo, clock: time.clock)
        #expect(outcome.kind == .openai && whole.paths == ["/v1/models"])
        time.advance(by: .seconds(1))
        // A detection that does not come to an end takes nothing from the endpoint.
        let hanging = ScriptedServer(["/v1/models": Self.list], fallback: KindDetectorTests.timeout)
        let unclear = try await poll(hanging, next(endpoint, after: outcome), memo: outcome.memo, clock: time.clock)
        #expect(unclear.kind == .openai && unclear.models == outcome.models)
        outcome = try await poll(whole, next(endpoint, after: outcome), memo: outcome.memo, clock: time.clock)
        #expect(outcome.kind == .ollama)
        let count = whole.paths.count
        _ = try await poll(whole, next(endpoint, after: outcome), memo: outcome.memo, clock: time.clock)
        #expect(whole.paths.dropFirst(count) == ["/api/tags", "/api/ps"], "the model was described before")
    }

    /// An LM Studio that has only the newer list is not taken apart at each poll.
    @Test func allNativeListsAreTriedAndTheOneThatIsThereFirst() async throws {
        let list = try KindDetectorTests().fixture("lmstudio.api_v1_models.json")
        let server = ScriptedServer(["/api/v1/models": list], fallback: KindDetectorTests.unexpected)
        let endpoint = Samples.endpoint("e")
        let first = try await poll(server, endpoint, detected: .lmstudio)
        #expect(first.kind == .lmstudio)
        #expect(server.paths == ["/api/v0/models", "/api/v1/models", "/v1/models"])
        let second = try await poll(server, next(endpoint, after: first), memo: first.memo)
        #expect(second.kind == .lmstudio && server.paths.suffix(2) == ["/api/v1/models", "/v1/models"])
        #expect(server.paths.count == 5)
    }

    @Test func aKnownKindIsNotFoundOutAgain() async throws {
        let server = ScriptedServer(["/api/tags": Self.tags, "/v1/models": Self.list])
        #expect(try await poll(server, Samples.endpoint("e"), detected: .ollama).kind == .ollama)
        #expect(server.paths == ["/api/tags", "/api/ps", "/api/show"])
        let plain = ScriptedServer(["/v1/models": Self.list])
        _ = try await poll(plain, Samples.endpoint("e"), detected: .openai)
        #expect(plain.paths == ["/v1/models"])
    }

    @Test func aNativeListThatIsGoneHasTheKindFoundOutAgain() async throws {
        let server = ScriptedServer(["/v1/models": Self.list])
        let outcome = try await poll(server, Samples.endpoint("e"), detected: .ollama)
        #expect(outcome.kind == .openai)
        #expect(server.paths.first == "/api/tags")
    }

    @Test func aServerInTroubleIsNotProbed() async {
        let server = ScriptedServer([:], fallback: .success(EndpointAnswer(status: 500, body: [])))
        await #expect(throws: PollError(.httpStatus(500), "HTTP 500")) {
            try await poll(server, Samples.endpoint("e"), detected: .ollama)
        }
        #expect(server.paths == ["/api/tags"])
    }

    /// Its models are those of its endpoints. If one of these is the gateway itself, they would never be unlisted.
    @Test func theListOfAGatewayIsDropped() async {
        let body = Array(#"{"data":[{"id":"a","owned_by":"vllm"}]}"#.utf8)
        let server = ScriptedServer([
            "/v1/models": .success(EndpointAnswer(status: 200, body: body, isFromGateway: true))
        ])
        for kind in [EndpointKind.auto, .openai, .ollama] {
            let error = await #expect(throws: PollError.self) {
                try await poll(server, Samples.endpoint("e", kind: kind))
            }
            #expect(error?.failure.code == "rollcall_gateway", "\(kind)")
        }
    }

    @Test func aKindThatWasStatedStands() async throws {
        let server = ScriptedServer(["/v1/models": Self.list])
        let outcome = try await poll(server, Samples.endpoint("e", kind: .ollama))
        #expect(outcome.kind == .ollama)
        #expect(server.paths == ["/api/tags", "/v1/models"])
    }

    @Test func whereNoListIsLeftTheFirstFailureCounts() async {
        let server = ScriptedServer(["/api/v0/models": KindDetectorTests.unexpected])
        await #expect(throws: PollError(.errorBody, "HTTP 200 with an error in place of a list")) {
            try await poll(server, Samples.endpoint("e", kind: .lmstudio))
        }
        #expect(server.paths == ["/api/v0/models", "/api/v1/models", "/v1/models"])
    }

    @Test func pagesAreFollowed() async throws {
        let server = ScriptedServer([
            "/v1/models": EndpointAnswer.ok(#"{"data":[{"id":"b"}],"has_more":true,"last_id":"b/1 ü"}"#),
            "/v1/models?after_id=b%2F1%20%C3%BC": EndpointAnswer.ok(#"{"data":[{"id":"a"}],"has_more":false}"#),
        ])
        let outcome = try await poll(server, Samples.endpoint("e", kind: .openai))
        #expect(outcome.models.map(\.id.value) == ["a", "b"])
    }

    @Test func aServerThatGivesTheSamePageForEverIsLeft() async throws {
        let page = EndpointAnswer.ok(#"{"data":[{"id":"a"}],"has_more":true,"last_id":"a"}"#)
        let server = ScriptedServer([:], fallback: page)
        #expect(try await poll(server, Samples.endpoint("e", kind: .openai)).models.count == 1)
        #expect(server.paths.count == 2)
    }

    @Test func aPageThatFailsFailsThePoll() async {
        let server = ScriptedServer([
            "/v1/models": EndpointAnswer.ok(#"{"data":[{"id":"b"}],"has_more":true,"last_id":"b"}"#)
        ])
        await #expect(throws: PollError.self) { try await poll(server, Samples.endpoint("e", kind: .openai)) }
    }

    @Test func llamaCppContextIsOfTheOnlyModel() async throws {
        let props = EndpointAnswer.ok(#"{"default_generation_settings":{"n_ctx":2048}}"#)
        let one = ScriptedServer(["/v1/models": Self.list, "/props": props])
        #expect(try await poll(one, Samples.endpoint("e", kind: .llamacpp)).models[0].contextLength == 2048)
        let two = ScriptedServer([
            "/v1/models": EndpointAnswer.ok(#"{"data":[{"id":"a"},{"id":"b"}]}"#), "/props": props,
        ])
        #expect(try await poll(two, Samples.endpoint("e", kind: .llamacpp)).models.map(\.contextLength) == [nil, nil])
        let without = ScriptedServer(["/v1/models": Self.list])
        #expect(try await poll(without, Samples.endpoint("e", kind: .llamacpp)).models[0].contextLength == nil)
        let gone = ScriptedServer(["/v1/models": Self.list], fallback: KindDetectorTests.timeout)
        await #expect(throws: PollError.self) { try await poll(gone, Samples.endpoint("e", kind: .llamacpp)) }
    }

    /// Servers that imitate Ollama need not have `/api/ps`, and one that loads a model may not answer it in time.
    @Test func ollamaSaysWhatIsLoaded() async throws {
        let tags = Self.tags(["a:1b": "d", "b:1b": "e"])
        for (running, loaded) in [
            (EndpointAnswer.ok(#"{"models":[{"name":"b:1b","size_vram":1}]}"#), [false, true]),
            (EndpointAnswer.ok(#"{"models":[]}"#), [false, false]),
            (EndpointAnswer.ok(#"{"models":null}"#), [false, false]),
            (KindDetectorTests.timeout, [nil, nil]), (KindDetectorTests.unexpected, [nil, nil]),
        ] as [(Result<EndpointAnswer, PollError>, [Bool?])] {
            let server = ScriptedServer(["/api/tags": tags, "/api/ps": running])
            for endpoint in [Samples.endpoint("e", kind: .ollama), Samples.endpoint("e")] {
                let outcome = try await poll(server, endpoint, detected: .ollama)
                #expect(outcome.models.map(\.loaded) == loaded)
            }
        }
    }

    /// Ollama reads a file for each description. The catalog keeps what it said, for all pollers.
    @Test func ollamaDescribesEachModelOnceAndFewInOnePoll() async throws {
        let six: KeyValuePairs = ["a:1": "1", "b:1": "2", "c:1": "3", "d:1": "4", "e:1": "5", "f:1": "6"]
        let shown = EndpointAnswer.ok(
            #"{"capabilities":["completion","tools"],"model_info":{"general.architecture":"x","x.context_length":9}}"#)
        let idle = EndpointAnswer.ok(#"{"models":[]}"#)
        let endpoint = Samples.endpoint("e", kind: .ollama)
        func asked(_ server: ScriptedServer) -> [String] {
            server.requests.compactMap { $0.body.map { String(decoding: $0, as: UTF8.self) } }
        }
        func server(_ tags: Result<EndpointAnswer, PollError>, _ shown: Result<EndpointAnswer, PollError>)
            -> ScriptedServer
        { ScriptedServer(["/api/tags": tags, "/api/ps": idle, "POST /api/show": shown]) }

        var now = server(Self.tags(six), shown)
        var outcome = try await poll(now, endpoint)
        #expect(asked(now) == ["a", "b", "c", "d"].map { #"{"model":"\#($0):1"}"# })
        #expect(outcome.models.map(\.contextLength) == [9, 9, 9, 9, nil, nil])
        outcome = try await poll(now, next(endpoint, after: outcome), memo: outcome.memo)
        #expect(asked(now).count == 6 && outcome.models.allSatisfy { $0.capabilities == .tools })
        for memo in [outcome.memo, nil] {
            #expect(try await poll(now, next(endpoint, after: outcome), memo: memo).digest == outcome.digest)
            #expect(asked(now).count == 6, "nothing is asked again, by any poller")
        }
        // Another model under a known name.
        now = server(Self.tags(["a:1": "7", "b:1": "2"]), shown)
        _ = try await poll(now, next(endpoint, after: outcome), memo: outcome.memo)
        #expect(asked(now) == [#"{"model":"a:1"}"#])
        // An answer that says nothing is one; a server in trouble is asked again, and its list counts all the same.
        for (answer, again) in [
            (EndpointAnswer.ok("{}"), 0), (EndpointAnswer.status(404, "no"), 0), (EndpointAnswer.status(500, "no"), 1),
            (KindDetectorTests.timeout, 1),
        ] {
            now = server(Self.tags(["a:1": "1"]), answer)
            outcome = try await poll(now, endpoint)
            #expect(outcome.models.map(\.id.value) == ["a:1"] && outcome.models[0].contextLength == nil)
            let second = try await poll(now, next(endpoint, after: outcome), memo: outcome.memo)
            #expect(asked(now).count == 1 + again && second.digest == outcome.digest)
        }
    }

    /// Its former list says nothing any more, and neither does the hour.
    @Test func whatWasOfflineMayBeAnotherServer() async throws {
        let endpoint = Samples.endpoint("e")
        var base = Samples.row("e", tick: 1, state: .offline, failures: 3)
        base.kind = .ollama
        let list = EndpointAnswer.ok(#"{"data":[{"id":"a","owned_by":"vllm"}]}"#)
        let server = ScriptedServer(["/v1/models": list], fallback: EndpointAnswer.status(500, ""))
        let outcome = try await poll(server, PollItem(endpoint: endpoint, tick: 2, base: base))
        #expect(outcome.kind == .vllm && server.paths == ["/v1/models"])
    }

    @Test func aBaseWithAVersionIsAskedBelowIt() async throws {
        let endpoint = Samples.endpoint("e", url: "https://open.example/api/paas/v4", kind: .openai)
        let server = ScriptedServer(["/api/paas/v4/models": Self.list])
        #expect(try await poll(server, endpoint).models.map(\.id.value) == ["a"])
        #expect(server.paths == ["/api/paas/v4/models"])
    }

    @Test func keysAreSentOpenedAndOnlyThen() async throws {
        let ring = try KeyRing("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        let sealed = try ring.seal("sk-secret", for: "e")
        let server = ScriptedServer(["/v1/models": Self.list])
        _ = try await poll(server, Samples.endpoint("e", kind: .openai, key: sealed), keyRing: ring)
        #expect(server.requests.map(\.key) == ["sk-secret"])
        #expect(server.requests.map(\.url) == ["http://e.test:8000/v1/models"])

        for (endpoint, keyRing) in [
            (Samples.endpoint("e", kind: .openai, key: sealed), nil),
            (Samples.endpoint("other", kind: .openai, key: sealed), ring),
            (Samples.endpoint("e", kind: .openai, key: "nonsense"), ring),
        ] {
            let unasked = ScriptedServer(["/v1/models": Self.list])
            do throws(PollError) {
                _ = try await poll(unasked, endpoint, keyRing: keyRing)
                Issue.record("polled without a key")
            } catch {
                #expect(error.code == .keyUnreadable)
                #expect(!error.message.contains("sk-secret"))
            }
            #expect(unasked.requests.isEmpty)
        }
    }
}
