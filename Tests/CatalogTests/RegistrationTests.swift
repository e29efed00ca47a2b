import Catalog
import Foundation
import Testing

@Suite struct RegistrationTests {
    /// A catalog with one endpoint that lists `id`, and one registration.
    private func catalog(_ id: String, quantization: String? = "Q4_K_M", files: [String] = []) -> Catalog {
        Catalog([
            Sample.created(1, revision: 1), Sample.batch(Sample.row(1, generation: 1, tick: 1, models: [id])),
            Sample.registered("Qwen/Qwen2.5-7B-GGUF", quantization: quantization, files: files, revision: 2),
        ])
    }

    static let file = "sub/Qwen2.5-7B-Q4_K_M-00001-of-00002.gguf"

    /// Every form that the rules of readiness name, and near misses.
    @Test(arguments: [
        ("Qwen/Qwen2.5-7B-GGUF", true),
        ("qwen/qwen2.5-7b-gguf", true),
        ("QWEN2.5-7B-gguf", true),
        ("hf.co/Qwen/Qwen2.5-7B-GGUF", true),
        ("huggingface.co/Qwen/Qwen2.5-7B-GGUF", true),
        ("HF.co/qwen2.5-7b-gguf", true),
        ("Qwen/Qwen2.5-7B-GGUF:Q4_K_M", true),
        ("qwen2.5-7b-gguf:q4_k_m", true),
        ("hf.co/Qwen/Qwen2.5-7B-GGUF:q4_k_m", true),
        ("Qwen2.5-7B-Q4_K_M-00001-of-00002.gguf", true),
        ("Qwen2.5-7B-Q4_K_M-00001-of-00002", true),
        ("/models/x/qwen2.5-7b-q4_k_m-00001-of-00002.GGUF", true),
        ("C:\\models\\Qwen2.5-7B-Q4_K_M-00001-of-00002.gguf", true),
        ("Qwen/Qwen2.5-7B-GGUF:Q8_0", false),
        ("Qwen/Qwen2.5-7B-GGUF:latest", false),
        ("Qwen/Qwen2.5-7B", false),
        ("other/Qwen2.5-7B-GGUF", false),
        ("https://hf.co/Qwen/Qwen2.5-7B-GGUF", false),
        ("xQwen2.5-7B-Q4_K_M-00001-of-00002.gguf", false),
        ("/models/Qwen2.5-7B-Q4_K_M-00001-of-00002", false),
        ("Qwen2.5-7B-Q4_K_M", false),
        ("Qwen/Qwen2.5-7B-GGUF ", false),
        ("Qwen/Qwen2.5-7\u{212A}-GGUF", false),
    ])
    func onlyWhatTheRulesNameIsReady(id: String, isReady: Bool) throws {
        var catalog = catalog(id, files: [Self.file])
        let view = try #require(catalog.registration(named: "qwen/qwen2.5-7b-gguf"))
        #expect(view.status == (isReady ? .ready : .registered))
        #expect(view.serving.map(\.model) == (isReady ? [ModelID(id)] : []))
        #expect(catalog.listText.contains(#""registration":"qwen/qwen2.5-7b-gguf"}"#) == isReady)
    }

    @Test func aQuantizationThatIsNotRegisteredIsNotMatched() throws {
        let catalog = catalog("Qwen/Qwen2.5-7B-GGUF:Q4_K_M", quantization: nil)
        #expect(catalog.registration(named: "qwen/qwen2.5-7b-gguf")?.status == .registered)
    }

    /// Ollama lists a repository that was pulled without a tag as `latest`.
    @Test(arguments: [
        ("hf.co/Qwen/Qwen2.5-7B-GGUF:latest", true, true), ("qwen2.5-7b-gguf:LATEST", true, true),
        ("hf.co/Qwen/Qwen2.5-7B-GGUF:latest", false, false), ("hf.co/Qwen/Qwen2.5-7B-GGUF:latest", nil, false),
        ("hf.co/Other/Qwen2.5-7B-GGUF:latest", true, false),
    ])
    func latestIsTheDefaultChoice(id: String, isDefault: Bool?, isReady: Bool) throws {
        var record = Sample.registration("Qwen/Qwen2.5-7B-GGUF", quantization: "Q4_K_M", revision: 2)
        record.isDefaultChoice = isDefault
        let catalog = Catalog([
            Sample.created(1, revision: 1), Sample.batch(Sample.row(1, generation: 1, tick: 1, models: [id])),
            .registryChanged(RegistryChange(record)),
        ])
        #expect(catalog.registration(named: "qwen/qwen2.5-7b-gguf")?.status == (isReady ? .ready : .registered))
    }

    /// Records of earlier versions lack the newer fields.
    @Test func recordsOfEarlierVersionsAreRead() throws {
        var record = Sample.registration("Qwen/Qwen2.5-7B-GGUF", quantization: "Q4_K_M", revision: 2)
        let old = String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
        #expect(!old.contains("chosen_because") && !old.contains("default_choice"))
        #expect(try JSONDecoder().decode(RegistrationRecord.self, from: Data(old.utf8)) == record)
        record.chosenBecause = "it is there"
        record.isDefaultChoice = true
        let new = try JSONEncoder().encode(record)
        #expect(try JSONDecoder().decode(RegistrationRecord.self, from: new) == record)
    }

    @Test func filesThatAreNamedAlikeEverywhereAreNotNames() {
        let catalog = catalog("model.safetensors", files: ["model.safetensors"])
        #expect(catalog.registration(named: "qwen/qwen2.5-7b-gguf")?.status == .registered)
    }

    @Test func degradedServesButIsNotReady() throws {
        var catalog = catalog("qwen/qwen2.5-7b-gguf")
        _ = catalog.apply(
            Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["qwen/qwen2.5-7b-gguf"], state: .degraded)),
            at: 3)
        let view = try #require(catalog.registration(named: "qwen/qwen2.5-7b-gguf"))
        #expect(view.status == .registered)
        #expect(view.serving.map(\.state) == [.degraded])
        _ = catalog.apply(
            Sample.batch(Sample.row(1, generation: 1, tick: 3, models: ["qwen/qwen2.5-7b-gguf"], state: .offline)),
            at: 4)
        #expect(catalog.registration(named: "qwen/qwen2.5-7b-gguf")?.serving == [])
        #expect(!catalog.listText.contains("qwen"), "a registered model alone is not in the list")
    }

    @Test func theBestNameWinsAndThenTheFirst() {
        var catalog = Catalog([
            Sample.created(1, revision: 1),
            Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["b/m", "m"])),
            Sample.registered("c/m", revision: 2), Sample.registered("b/m", revision: 3),
            Sample.registered("a/m", revision: 4),
        ])
        #expect(
            catalog.listText.contains(
                #"{"id":"b/m","object":"model","created":500,"owned_by":"library","endpoints":["e1"],"registration":"b/m"}"#
            ))
        #expect(
            catalog.listText.contains(
                #"{"id":"m","object":"model","created":500,"owned_by":"library","endpoints":["e1"],"registration":"a/m"}"#
            ))
        #expect(catalog.registrations.map { $0.serving.map(\.model.value) } == [["m"], ["b/m", "m"], ["m"]])
    }

    @Test func removingItTakesItsNameOutOfTheList() {
        var catalog = catalog("qwen/qwen2.5-7b-gguf")
        #expect(catalog.listText.contains("registration"))
        let gone = RegistryChange(tombstoneOf: .registration, id: "qwen/qwen2.5-7b-gguf", revision: 3)
        let effects = catalog.apply(.registryChanged(gone), at: 3)
        #expect(effects == [.registrationChanged(name: "qwen/qwen2.5-7b-gguf"), .modelsChanged])
        #expect(!catalog.listText.contains("registration"))
        #expect(catalog.registrations.isEmpty)
        // What comes again by a replay does not bring it back.
        _ = catalog.apply(Sample.registered("Qwen/Qwen2.5-7B-GGUF", revision: 2), at: 4)
        #expect(catalog.registrations.isEmpty)
    }

    @Test func aNewChangeThatLeavesTheNamesAloneLeavesTheListAlone() {
        var catalog = catalog("qwen/qwen2.5-7b-gguf")
        let effects = catalog.apply(
            Sample.registered("Qwen/Qwen2.5-7B-GGUF", quantization: "Q4_K_M", revision: 3), at: 3)
        #expect(effects == [.registrationChanged(name: "qwen/qwen2.5-7b-gguf")])
    }

    @Test func aCheckpointThatNamesARegistrationWaitsForIt() {
        var catalog = Catalog([
            .registryCheckpoint(
                CheckpointPart(
                    registry: Sample.registry, incarnation: 1, revision: 5, part: 0, parts: 1,
                    entries: [CheckpointEntry(kind: .registration, id: "org/m", revision: 4)], madeAt: 1))
        ])
        #expect(catalog.completeness.missingRecords == 1)
        _ = catalog.apply(Sample.registered("org/m", revision: 4), at: 1)
        #expect(catalog.completeness.hasRecords)
        _ = catalog.apply(Sample.registered("org/gone", revision: 3), at: 2)
        #expect(catalog.registrations.map(\.record.name) == ["org/m"])
    }

    private func result(
        _ number: Int64, _ outcome: VerifyResult.Outcome = .ok, endpoint: Int = 1, generation: Int64 = 1,
        by: String = "p"
    ) -> VerifyResult {
        VerifyResult(
            registration: "qwen/qwen2.5-7b-gguf", number: number, endpoint: Sample.id(endpoint),
            generation: generation, model: "m",
            outcome: outcome, by: by, at: 1)
    }

    @Test func theNewestVerificationOfEachLiveEndpointIsShown() throws {
        var catalog = catalog("m")
        let early = result(2)
        let late = result(4, .error)
        for (offset, result) in [late, early, result(5, endpoint: 9, generation: 3)].enumerated() {
            _ = catalog.apply(.verifyResult(result), at: Int64(10 + offset))
        }
        let view = try #require(catalog.registration(named: "qwen/qwen2.5-7b-gguf"))
        #expect(view.verifications == [late], "endpoint 9 does not exist")
        _ = catalog.apply(Sample.created(9, revision: 3), at: 20)
        #expect(catalog.registration(named: "qwen/qwen2.5-7b-gguf")?.verifications.count == 2)
        _ = catalog.apply(Sample.created(9, generation: 6, revision: 6), at: 21)
        #expect(
            catalog.registration(named: "qwen/qwen2.5-7b-gguf")?.verifications == [late],
            "another server may be behind endpoint 9 now")
    }

    @Test func aPollersResultOutweighsTheRegistrarsThatNobodyRanIt() {
        for order in [[0, 1], [1, 0]] {
            var catalog = catalog("m")
            let results = [result(4, .ok), result(4, .timeout, by: VerifyResult.registrar)]
            for (offset, index) in order.enumerated() {
                _ = catalog.apply(.verifyResult(results[index]), at: Int64(10 + offset))
            }
            #expect(catalog.registration(named: "qwen/qwen2.5-7b-gguf")?.verifications == [results[0]])
        }
    }

    @Test func aReplacedManifestHasNotBeenVerified() {
        var catalog = catalog("m")
        _ = catalog.apply(.verifyResult(result(3)), at: 10)
        _ = catalog.apply(Sample.registered("Qwen/Qwen2.5-7B-GGUF", revision: 4), at: 11)
        _ = catalog.apply(.verifyResult(result(3)), at: 12)
        #expect(catalog.registration(named: "qwen/qwen2.5-7b-gguf")?.verifications == [])
    }

    @Test func memoryIsComparedWithTheLargestEndpointThatReportsIt() throws {
        var catalog = catalog("m")
        var record = Sample.registration("Qwen/Qwen2.5-7B-GGUF", revision: 3)
        record.requiredMemoryBytes = 100
        record.warnings = [RegistrationWarning(code: "gated_repository", message: "g")]
        _ = catalog.apply(.registryChanged(RegistryChange(record)), at: 10)
        func codes() -> [String]? {
            catalog.registration(named: "qwen/qwen2.5-7b-gguf")?.warnings.map(\.code)
        }
        #expect(codes() == ["gated_repository", "memory_unknown"])
        var row = Sample.row(1, generation: 1, tick: 5, models: ["m"])
        row.gpuMemoryBytes = 99
        _ = catalog.apply(Sample.batch(row), at: 11)
        #expect(codes() == ["gated_repository", "insufficient_memory"])
        row.tick = 6
        row.gpuMemoryBytes = 100
        _ = catalog.apply(Sample.batch(row), at: 12)
        #expect(codes() == ["gated_repository"])
    }

    @Test func memoryIsSaidInUnitsForPeople() {
        let warnings = RegistrationWarning.ofMemory(required: 892_800_000_000, greatest: 640_000_000_000)
        #expect(
            warnings.map(\.message) == [
                "About 831.4 GiB of memory are needed; the most that an endpoint reports is 596.0 GiB."
            ])
    }

    @Test("Live numbers of a later revision than the record's show, and go with the record")
    func liveNumbers() {
        func numbers(_ downloads: Int64, revision: Int64) -> CatalogMessage {
            .hubChanged(
                HubChange(
                    registration: "org/m", revision: revision,
                    hub: HubInfo(downloads: downloads, likes: nil, lastModified: nil, fetchedAt: 0)))
        }
        var catalog = Catalog([numbers(7, revision: 3), Sample.registered("Org/M", revision: 2)])
        #expect(catalog.registration(named: "org/m")?.record.hub.downloads == 7)
        #expect(catalog.highestRevision == 3)
        #expect(catalog.apply(numbers(9, revision: 5), at: 4) == [.registrationChanged(name: "org/m")])
        #expect(catalog.apply(numbers(8, revision: 4), at: 5).isEmpty)
        #expect(catalog.registration(named: "org/m")?.record.hub.downloads == 9)
        var copy = Catalog(catalog.allMessages(from: "p"))
        #expect(copy.registrations == catalog.registrations)
        _ = copy.apply(Sample.registered("Org/M", revision: 6), at: 90)
        #expect(copy.registration(named: "org/m")?.record.hub.downloads == nil, "the record has newer ones")
        _ = catalog.apply(
            .registryChanged(RegistryChange(tombstoneOf: .registration, id: "org/m", revision: 7)), at: 6)
        #expect(catalog.apply(numbers(1, revision: 6), at: 7).isEmpty)
        #expect(catalog.registration(named: "org/m") == nil)
    }

    @Test("A verification is forgotten after many revisions, whatever its date")
    func verificationsEnd() {
        let result = VerifyResult(
            registration: "org/m", number: 3, endpoint: Sample.id(1), generation: 1, model: "m", outcome: .ok, by: "p",
            at: 0)
        var catalog = Catalog([
            Sample.created(1, revision: 1), Sample.registered("Org/M", revision: 2), .verifyResult(result),
        ])
        _ = catalog.apply(Sample.created(2, revision: 100_003), at: 4)
        #expect(catalog.registration(named: "org/m")?.verifications == [result])
        _ = catalog.apply(Sample.created(2, revision: 100_004), at: 5)
        #expect(catalog.registration(named: "org/m")?.verifications == [])
        #expect(catalog.apply(.verifyResult(result), at: 6).isEmpty)
        #expect(
            !catalog.allMessages(from: "p").contains { message in
                if case .verifyResult = message { true } else { false }
            })
    }
}
