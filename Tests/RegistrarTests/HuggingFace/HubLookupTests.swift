import Catalog
import TestSupport
import Testing

@testable import Registrar

/// Against a server on a real socket. One after the other: some of them measure time and memory.
@Suite(.serialized, .timeLimit(.minutes(2))) struct HubLookupTests {
    @Test func asksForWhatIsNeededAndNothingElse() async throws {
        let hub = HubServer.serving(
            .sharded,
            files: [
                "config.json": .answer(body: try FixtureFolder.hub.body("config.gpt_oss_20b.json")),
                "model.safetensors.index.json": .text(
                    #"{"weight_map":{"a":"model-00001-of-00001.safetensors"}}"#),
                "tokenizer_config.json": .text(#"{"chat_template":"{{ x }}"}"#),
            ])
        let probe = try LookupProbe(hub.url)
        let record = try await probe.record(
            RegistrationRequest(repo: "https://huggingface.co/org/NAME/tree/refs%2Fpr%2F1", displayName: "Mine"))
        let files = "/Org/Name/resolve/\(SampleRepository.commit)"
        #expect(
            hub.targets == [
                "/api/models/org/NAME/revision/refs%2Fpr%2F1?blobs=true", "\(files)/config.json",
                "\(files)/model.safetensors.index.json", "\(files)/chat_template.jinja",
                "\(files)/tokenizer_config.json",
            ])
        #expect(probe.steps == ["resolving", "reading config", "reading index", "reading tokenizer"])
        #expect(hub.requests.allSatisfy { $0.header("Authorization") == "Bearer \(LookupProbe.token)" })
        #expect(record.name == "org/name" && record.repo == "Org/Name" && record.displayName == "Mine")
        #expect(record.requestedRevision == "refs/pr/1")
        #expect(record.chatTemplate == "{{ x }}" && !record.hasOwnChatTemplate)
        #expect(record.quantization == "mxfp4" && record.manifest.files.allSatisfy { $0.runtimes == ["gptoss_cpp"] })
        #expect(record.manifest.files.allSatisfy { $0.url == "\(hub.url)\(files)/\($0.path)" })
        #expect((record.generation, record.revision, record.createdAt) == (0, 0, 0))
        #expect(record.hub.fetchedAt == RegistrationCase.now)
    }

    private static let stored = SampleRepository(
        ["config.json", "tokenizer.json", "model.safetensors.index.json"]
            + (1...2).map { "model-0000\($0)-of-00002.safetensors" }
    ).inLargeFileStorage(["config.json", "model.safetensors.index.json"])
    private static let storedIndex =
        #"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#
    private static let storedOutcome =
        "safetensors - 200: model-00001-of-00002.safetensors, model-00002-of-00002.safetensors"

    /// The Hub redirects to another host for a file in LFS: the token stays behind.
    @Test func readsSmallFilesInLargeFileStorage() async throws {
        let storage = HubServer { request in
            request.target.hasPrefix("/config.json") ? .text("{}") : .text(Self.storedIndex)
        }
        let files = ["config.json", "model.safetensors.index.json"].map { name in
            (name, HubServer.Action.redirect("http://localhost:\(storage.port)/\(name)?signature=s", status: 302))
        }
        let hub = HubServer.serving(Self.stored, files: Dictionary(uniqueKeysWithValues: files))
        #expect(await (try LookupProbe(hub.url)).outcome() == Self.storedOutcome + " + model.safetensors.index.json")
        #expect(storage.targets == ["/config.json?signature=s", "/model.safetensors.index.json?signature=s"])
        #expect(storage.requests.allSatisfy { $0.header("Authorization") == nil })
        #expect(hub.requests.allSatisfy { $0.header("Authorization") != nil })
    }

    /// Shards that are whole by their numbers stand in for an index that is not to be had.
    @Test(arguments: ["gone", "refused", "redirected", "large"])
    func doesWithoutAnIndexInLargeFileStorage(_ kind: String) async throws {
        let storage = HubServer { _ in
            switch kind {
            case "refused": .answer(status: 403, body: [])
            case "redirected": .redirect("http://127.0.0.1:1/x", status: 302)
            default: .answer(body: Array(repeating: 0x20, count: 2 << 20))
            }
        }
        let index: HubServer.Action =
            kind == "gone"
            ? .answer(status: 404, headers: ["X-Error-Code: EntryNotFound"], body: [])
            : .redirect("http://localhost:\(storage.port)/x", status: 302)
        let hub = HubServer.serving(
            Self.stored, files: ["config.json": .text("{}"), "model.safetensors.index.json": index])
        let probe = try LookupProbe(hub.url) { $0.maximumStoredFileBytes = 1 << 20 }
        #expect(await probe.outcome() == Self.storedOutcome + " ! index_ignored")
        #expect(probe.waits.isEmpty)
    }

    /// A problem that passes must not decide what is registered.
    @Test func waitsForAnIndexInLargeFileStorage() async throws {
        let storage = HubServer { _ in .answer(status: 503, body: []) }
        let hub = HubServer.serving(
            Self.stored,
            files: [
                "config.json": .text("{}"),
                "model.safetensors.index.json": .redirect("http://localhost:\(storage.port)/x", status: 302),
            ])
        #expect(await (try LookupProbe(hub.url)).outcome() == "502 hub_error")
        #expect(storage.requests.count == 3)
    }

    @Test func asksWithoutATokenWhereThereIsNone() async throws {
        let hub = HubServer.serving(.small)
        let probe = try LookupProbe(hub.url, token: nil)
        #expect(await probe.outcome() == SampleRepository.smallOutcome)
        #expect(hub.requests.count == 1 && hub.requests[0].header("Authorization") == nil)
    }

    @Test func keepsToThePathOfAMirror() async throws {
        let hub = HubServer { request in
            request.target.hasPrefix("/mirror/api/models/Org/Name/revision/main")
                ? .answer(body: SampleRepository.small.answer) : .answer(status: 500, body: [])
        }
        let record = try await LookupProbe(hub.url + "/mirror/").record(RegistrationRequest(repo: "Org/Name"))
        #expect(record.manifest.files[0].url.hasPrefix("\(hub.url)/mirror/Org/Name/resolve/"))
    }

    /// The answer of a renamed repository is asked for once more under its own name: the redirect lost the revision.
    @Test func followsARenaming() async throws {
        let hub = HubServer { request in
            switch request.target {
            case "/api/models/old/name/revision/dev?blobs=true": .redirect("/api/models/New-Org/Name")
            case "/api/models/New-Org/Name":
                .answer(
                    body: SampleRepository(
                        [("wrong.gguf", 1)], id: "New-Org/Name",
                        extra: "{\"sha\":\"\(String(repeating: "0", count: 40))\"}"
                    ).answer)
            case "/api/models/New-Org/Name/revision/dev?blobs=true":
                .answer(body: SampleRepository([("a-Q4_0.gguf", 7)], id: "New-Org/Name").answer)
            default: .answer(status: 404, body: [])
            }
        }
        let record = try await LookupProbe(hub.url).record(RegistrationRequest(repo: "old/name", revision: "dev"))
        #expect(record.repo == "New-Org/Name" && record.name == "new-org/name" && record.sizeBytes == 7)
        #expect(record.commit == SampleRepository.commit)
        #expect(hub.requests.count == 3)
    }

    @Test func followsALetterCase() async throws {
        let hub = HubServer { request in
            request.target.hasPrefix("/api/models/org/name/")
                ? .redirect("/api/models/Org/Name/revision/main?blobs=true")
                : .answer(body: SampleRepository.small.answer)
        }
        let record = try await LookupProbe(hub.url).record(RegistrationRequest(repo: "org/name"))
        #expect(record.repo == "Org/Name" && hub.requests.count == 2)
    }

    @Test func smallFilesMayMoveOnTheHub() async throws {
        let sample = SampleRepository(["config.json", "tokenizer.json", "model.safetensors"])
        let hub = HubServer { request in
            if request.target.hasPrefix("/api/models/") { return .answer(body: sample.answer) }
            return request.target.hasPrefix("/api/resolve-cache/")
                ? .text("{\"model_type\":\"llama\"}") : .redirect("/api/resolve-cache/models/x/config.json")
        }
        #expect(await (try LookupProbe(hub.url)).outcome() == "safetensors - 100: model.safetensors")
    }

    @Test func neverAsksForWeights() async throws {
        let sample = SampleRepository(["config.json", "tokenizer.json", "model.safetensors"])
            .replacingIndexByLFS("tokenizer_config.json")
        let hub = HubServer.serving(sample, files: ["config.json": .text("{}")])
        #expect(await (try LookupProbe(hub.url)).outcome() == "safetensors - 100: model.safetensors")
        #expect(!hub.targets.contains { $0.contains("model.safetensors") })
    }

    @Test func gatedFiles() async throws {
        let gated = HubServer.Action.answer(
            status: 403, headers: ["X-Error-Code: GatedRepo"], body: Array("Access restricted".utf8))
        let index = HubServer.Action.text(#"{"weight_map":{"a":"model-00001-of-00001.safetensors"}}"#)
        let all = HubServer.serving(.sharded, files: ["config.json": gated])
        #expect(await (try LookupProbe(all.url)).outcome() == "403 gated_repository")
        let some = HubServer.serving(
            .sharded,
            files: [
                "config.json": .text("{}"), "model.safetensors.index.json": index, "tokenizer_config.json": gated,
                "chat_template.jinja": gated,
            ])
        let record = try await LookupProbe(some.url).record(RegistrationRequest(repo: "Org/Name"))
        #expect(record.chatTemplate == nil)
        let template = HubServer.serving(
            .sharded,
            files: [
                "config.json": .text("{}"), "model.safetensors.index.json": index,
                "tokenizer_config.json": .text(#"{"chat_template":null}"#), "chat_template.jinja": .text("{{ jinja }}"),
            ])
        let other = try await LookupProbe(template.url).record(RegistrationRequest(repo: "Org/Name"))
        #expect(other.chatTemplate == "{{ jinja }}")
    }

    @Test func disabledRepositories() async throws {
        let hub = HubServer.serving(SampleRepository(["a-Q4_0.gguf"], extra: #"{"disabled":true}"#))
        #expect(await (try LookupProbe(hub.url)).outcome() == "404 repository_not_found")
    }

    @Test(arguments: HubRefusalTests.table.filter { $0.status == nil && !$0.isFile && $0.hasToken })
    func refusalsWithAToken(_ line: HubRefusalTests.Line) async throws {
        try await refuses(line, token: LookupProbe.token)
    }

    @Test(arguments: HubRefusalTests.table.filter { $0.status == nil && !$0.isFile && !$0.hasToken })
    func refusalsWithoutAToken(_ line: HubRefusalTests.Line) async throws {
        // The one that renames goes on to what is not there.
        guard line.fixture != "errors/307_renamed_repo.http" else { return }
        try await refuses(line, token: nil)
    }

    private func refuses(_ line: HubRefusalTests.Line, token: String?) async throws {
        let text = String(decoding: try FixtureFolder.hub.body(line.fixture), as: UTF8.self)
        let hub = HubServer { _ in .raw(text) }
        let probe = try LookupProbe(hub.url, token: token)
        let rejection = await probe.rejection(RegistrationRequest(repo: "Org/Name", revision: "badrev"))
        #expect(rejection.map { "\($0.status) \($0.error.code)" } == line.expected)
        #expect(rejection?.retryAfter == line.retryAfter)
        #expect(rejection?.error.message.contains(line.says) == true)
        // A limit without a time is tried again; a time that is too long is passed on at once.
        #expect(hub.requests.count == (line.expected.hasPrefix("429") && line.retryAfter == nil ? 3 : 1))
    }

    @Test func live() async throws {
        let hub = HubServer.serving(
            SampleRepository(
                ["a-Q4_0.gguf"], extra: #"{"downloads":5,"likes":0,"lastModified":"2026-01-02T03:04:05.000Z"}"#))
        let live = try await LookupProbe(hub.url).lookup.live(repo: "Org/Name", revision: "main", now: 9)
        #expect(live.commit == SampleRepository.commit)
        #expect(
            live.info == HubInfo(downloads: 5, likes: 0, lastModified: "2026-01-02T03:04:05.000Z", fetchedAt: 9))
        #expect(hub.targets == ["/api/models/Org/Name/revision/main"])
    }
}
