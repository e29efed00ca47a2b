import Catalog
import Synchronization
import TestSupport
import Testing

@testable import Poller

struct GPUMemoryTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var format: GPUMemory.Format
        var body: String
        var status = 200
        /// nil: not an answer of the shape.
        var reading: GPUMemory.Reading?
        var testDescription: String { "\(format) \(body.prefix(60))" }
    }

    static func reads(_ format: GPUMemory.Format, _ body: String, _ bytes: Int64?) -> Case {
        Case(format: format, body: body, reading: GPUMemory.Reading(bytes: bytes))
    }

    static func isNone(_ format: GPUMemory.Format, _ body: String, status: Int = 200) -> Case {
        Case(format: format, body: body, status: status)
    }

    static let table: [Case] = [
        reads(
            .xllm, #"{"device":{"gpu_devices":[{"total_memory_bytes":10},{"total_memory_bytes":"5"},{"name":"x"}]}}"#,
            15),
        reads(.xllm, #"{"device":{"gpu_devices":[]}}"#, nil),
        reads(.xllm, #"{"device":{"gpu_devices":[{"total_memory_bytes":0}]}}"#, nil),
        reads(.xllm, #"{"device":{"gpu_devices":[{"total_memory_bytes":-1},{"total_memory_bytes":7}]}}"#, 7),
        reads(.xllm, #"{"device":{"gpu_devices":[{"total_memory_bytes":9000000000000000000}]}}"#, nil),
        reads(
            .xllm,
            #"{"device":{"gpu_devices":[{"total_memory_bytes":1000000000000000},{"total_memory_bytes":1000000000000000}]}}"#,
            nil),
        isNone(.xllm, #"{"device":{"gpu_devices":{}}}"#),
        isNone(.xllm, #"{"device":{"gpu_devices":["a"]}}"#),
        isNone(.xllm, #"{"device":{"device_type":"gpu"}}"#),
        isNone(.xllm, #"{"device":[]}"#), isNone(.xllm, "[]"), isNone(.xllm, ""), isNone(.xllm, "<html></html>"),
        isNone(.xllm, #"{"device":{"gpu_devices":[{"total_memory_bytes":10}]}}"#, status: 404),
        reads(.lemonade, #"{"devices":{"nvidia_gpu":[{"vram_gb":24},{"vram_gb":8.5}],"amd_gpu":[]}}"#, 34_896_609_280),
        reads(.lemonade, #"{"devices":{"nvidia_gpu":[{"vram_gb":24,"available":false}]}}"#, nil),
        reads(.lemonade, #"{"devices":{"amd_gpu":[]}}"#, nil),
        reads(.lemonade, #"{"devices":{"amd_gpu":[{"vram_gb":"many"},{"vram_gb":-3},{"vram_gb":1e300},7]}}"#, nil),
        isNone(.lemonade, #"{"devices":{"cpu":{}}}"#), isNone(.lemonade, #"{"devices":[]}"#),
        isNone(.lemonade, #"{"error":"Unexpected endpoint or method. (GET /api/v1/system-info)"}"#),
    ]

    @Test(arguments: table) func shapesDecide(_ expected: Case) {
        let answer = EndpointAnswer(status: expected.status, body: Array(expected.body.utf8))
        #expect(GPUMemory.parse(answer, as: expected.format) == expected.reading)
    }

    /// Of all answers that were collected only those two are anything.
    @Test func onlyTheirOwnAnswersCount() throws {
        var found: [String: Int64?] = [:]
        for name in try FixtureFolder.endpoints.names() {
            let answer = EndpointAnswer(status: 200, body: try FixtureFolder.endpoints.body(name))
            for format in GPUMemory.Format.allCases {
                if let reading = GPUMemory.parse(answer, as: format) { found["\(format) \(name)"] = reading.bytes }
            }
        }
        #expect(
            found == [
                "xllm xllm.v0_system.json": 34_359_738_368, "lemonade lemonade.v1_system_info.json": 536_870_912,
            ])
    }

    private func memory(_ server: ScriptedServer, url: String? = nil) async -> GPUMemory.Reading? {
        let poll = EndpointPoll(
            transport: server, keys: EndpointKeys(keyRing: nil), timeout: .seconds(5), clock: ManualClock().clock)
        return await poll.memory(of: Samples.endpoint("e", url: url))
    }

    @Test func bothAreAskedUntilOneAnswers() async throws {
        let xllm = EndpointAnswer.ok(#"{"device":{"gpu_devices":[{"total_memory_bytes":10}]}}"#)
        let lemonade = EndpointAnswer.ok(#"{"devices":{"amd_gpu":[{"vram_gb":1}]}}"#)
        let first = ScriptedServer(["/v0/system": xllm, "/api/v1/system-info": lemonade])
        #expect(await memory(first)?.bytes == 10)
        #expect(first.paths == ["/v0/system"])
        let second = ScriptedServer(["/v0/system": KindDetectorTests.unexpected, "/api/v1/system-info": lemonade])
        #expect(await memory(second)?.bytes == 1 << 30)
        let below = ScriptedServer(["/api/v1/system-info": lemonade])
        #expect(await memory(below, url: "http://e.test/api")?.bytes == 1 << 30)
        #expect(below.paths == ["/api/v0/system", "/api/v1/system-info"])
        #expect(await memory(ScriptedServer([:])) == nil)
        let hanging = ScriptedServer([:], fallback: KindDetectorTests.timeout)
        #expect(await memory(hanging) == nil)
        #expect(hanging.paths == ["/v0/system"], "one that hangs is not asked for the other")
    }
}

struct MemorySurveyTests {
    final class Asked: Sendable {
        let ids = Mutex<[String]>([])
        let answer = Mutex<GPUMemory.Reading?>(GPUMemory.Reading(bytes: 8))
        var count: Int { ids.withLock { $0.count } }
    }

    let time = ManualClock()
    let asked = Asked()

    func survey() -> MemorySurvey {
        MemorySurvey(clock: time.clock) { [asked] endpoint in
            asked.ids.withLock { $0.append(endpoint.id) }
            return asked.answer.withLock { $0 }
        }
    }

    func row(_ generation: Int64 = 1, _ shown: Int64? = nil) -> SnapshotRow {
        var row = Samples.row("e", tick: 1, generation: generation)
        row.gpuMemoryBytes = shown
        return row
    }

    /// As after a poll.
    func visit(_ survey: MemorySurvey, _ endpoint: EndpointRecord, _ kind: EndpointKind?) async {
        if survey.isDue(endpoint, kind: kind) { await survey.visit(endpoint) }
    }

    func amended(_ survey: MemorySurvey, _ row: SnapshotRow) -> Int64? {
        var row = row
        survey.amend(&row)
        return row.gpuMemoryBytes
    }

    @Test func eachIsAskedOnceInTenMinutesAndGeneration() async {
        let survey = survey()
        await visit(survey, Samples.endpoint("e"), .openai)
        await visit(survey, Samples.endpoint("e"), .openai)
        #expect(asked.count == 1)
        await visit(survey, Samples.endpoint("e", generation: 2), .openai)
        #expect(asked.count == 2)
        time.advance(by: MemorySurvey.interval - .seconds(1))
        await visit(survey, Samples.endpoint("e", generation: 2), .openai)
        #expect(asked.count == 2)
        time.advance(by: .seconds(1))
        await visit(survey, Samples.endpoint("e", generation: 2), .openai)
        #expect(asked.count == 3)
    }

    @Test func kindsThatCannotTellAreNotAsked() async {
        let survey = survey()
        for kind in EndpointKind.allCases where kind != .openai {
            await visit(survey, Samples.endpoint("e"), kind)
        }
        await visit(survey, Samples.endpoint("e"), nil)
        #expect(asked.count == 0)
    }

    @Test func newsAreSaidUntilTheyAreKnown() async {
        let survey = survey()
        #expect(amended(survey, row()) == nil)
        await visit(survey, Samples.endpoint("e"), .openai)
        #expect(amended(survey, row(1, 5)) == 8)
        #expect(amended(survey, row(1, 5)) == 8, "the first row may have been lost")
        #expect(amended(survey, row(2, 5)) == 5, "another server")
        #expect(amended(survey, row(1, 8)) == 8)
        #expect(amended(survey, row(1, 9)) == 9, "what another poller found later stands")
    }

    @Test func aServerWithoutGPUTakesBackWhatWasSaid() async {
        asked.answer.withLock { $0 = GPUMemory.Reading(bytes: nil) }
        let survey = survey()
        await visit(survey, Samples.endpoint("e"), .openai)
        #expect(amended(survey, row(1, 5)) == nil)
    }

    @Test func noAnswerLeavesWhatWasSaid() async {
        asked.answer.withLock { $0 = nil }
        let survey = survey()
        await visit(survey, Samples.endpoint("e"), .openai)
        #expect(amended(survey, row(1, 5)) == 5)
    }

    @Test func rowsCarryItOnAndAChangeGoesAtOnce() {
        let rules = SnapshotRules(poller: "me", severalPollers: false, wallMilliseconds: 0)
        var base = row(1, 5)
        base.kind = .openai
        let item = PollItem(endpoint: Samples.endpoint("e"), tick: 2, base: base)
        let listed = Result<EndpointPoll.Outcome, PollError>.success(
            .init(kind: .openai, models: [], latencyMilliseconds: 1))
        let good = rules.row(for: item, listed)
        #expect(good.gpuMemoryBytes == 5)
        #expect(rules.row(for: item, .failure(PollError(.html, "page"))).gpuMemoryBytes == 5)
        base.generation = 0
        let other = PollItem(endpoint: Samples.endpoint("e"), tick: 2, base: base)
        #expect(rules.row(for: other, listed).gpuMemoryBytes == nil)
        var same = good
        same.digest = item.base?.digest
        same.models = nil
        #expect(!SnapshotRules.isChange(same, from: item.base))
        same.gpuMemoryBytes = 6
        #expect(SnapshotRules.isChange(same, from: item.base))
    }
}
