import AMQP
import Catalog
import Testing

@Suite struct CodingTests {
    static let messages: [CatalogMessage] = [
        Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["org/m", "caf\u{E9}"])),
        Sample.created(1, revision: 3), Sample.removed(1, revision: 4), Sample.checkpoint([(1, 2)], revision: 3),
        .operationChanged(
            Operation(
                id: "o", state: .failed, revision: 4, status: 409,
                error: APIError(type: "conflict_error", code: "name_taken", message: "taken"), at: 5)),
        .pollRequested(PollRequest(endpoint: "e", reason: "asked")),
        .endpointSuspect(PollRequest(endpoint: "e", reason: "connect failed")),
        .endpointAlive(EndpointSighting(endpoint: "e")), .pollerCutOff(PollerCutOff(poller: "p", isCutOff: true)),
        .refresh(Refresh(snapshots: [Sample.row(1, generation: 1, tick: 2, models: ["m"])])),
        .verifyResult(
            VerifyResult(
                registration: "org/m", number: 4, endpoint: "e", generation: 3, model: "m", outcome: .error,
                error: PollFailure(code: "c", message: "m"), by: "p", at: 5)),
        Sample.registered("Org/M", quantization: "Q4_0", files: ["a/b.gguf"], revision: 6),
        .hubChanged(
            HubChange(
                registration: "org/m", revision: 7,
                hub: HubInfo(downloads: 5, likes: nil, lastModified: "2026-01-01T00:00:00Z", fetchedAt: 9))),
        .registrarClock(RegistrarClock(at: 1_800_000_000_000)),
        .syncMark(SyncMark(id: "mark")), .catalogRequested(CatalogRequest(reason: "records are missing")),
    ]

    @Test(arguments: messages)
    func comesBackAsItWas(message: CatalogMessage) throws {
        let encoded = try message.encoded()
        #expect(encoded.type == message.type)
        #expect(encoded.headers["schema"] == .integer(1))
        #expect(encoded.contentType == "application/json")
        #expect(try CatalogMessage(encoded) == message)
        #expect(try message.encoded().messageID != encoded.messageID)
        #expect(try message.encoded().body == encoded.body)
    }

    @Test func unknownTypesAndSchemasMeanNothing() throws {
        #expect(try CatalogMessage(Message(body: [1], type: "of.later", messageID: "x")) == nil)
        var newer = try CatalogMessage.syncMark(SyncMark(id: "m")).encoded()
        newer.headers["schema"] = .integer(2)
        #expect(try CatalogMessage(newer) == nil)
    }

    @Test(arguments: [
        ("sync.mark", "", "not JSON"), ("sync.mark", "{", "not JSON"), ("sync.mark", "{}", "missing id"),
        ("sync.mark", #"{"id":7}"#, "wrong type at id"), ("sync.mark", #"{"id":null}"#, "null at id"),
        ("snapshot.batch", #"{"poller":"p","rows":{}}"#, "wrong type at rows"),
        ("registry.checkpoint", #"{"hunter2":1}"#, "missing registry"),
        ("operation.changed", #"{"id":"o","state":["hunter2"],"status":200,"at":1}"#, "wrong type at state"),
    ])
    func malformedBodiesAreNamedAndNotRepeated(type: String, body: String, reason: String) {
        let message = Message(body: Array(body.utf8), type: type, messageID: "x")
        let error = #expect(throws: MalformedMessage.self) { try CatalogMessage(message) }
        #expect(error?.reason == reason)
        #expect(error?.type == type)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test func harmfulNumbersAreMalformed() throws {
        #expect(throws: MalformedMessage.self) { try CatalogMessage(Sample.created(1, revision: .max).encoded()) }
        #expect(throws: MalformedMessage.self) {
            try CatalogMessage(Sample.created(1, generation: 5, revision: 4).encoded())
        }
        #expect(throws: MalformedMessage.self) {
            try CatalogMessage(Sample.checkpoint([(1, 9)], revision: 3).encoded())
        }
        let part = CheckpointPart(
            registry: "r", incarnation: 1, revision: 1, part: 1, parts: 1, entries: [], madeAt: 1)
        #expect(throws: MalformedMessage.self) { try CatalogMessage(CatalogMessage.registryCheckpoint(part).encoded()) }
    }

    @Test func payloadsOfOtherQueuesAreCodedAlike() throws {
        let job = PollJob(tick: 4, severalPollers: true, items: [.init(endpoint: "e", generation: 3)])
        let message = try Message(type: "poll.job", payload: job, expiration: .seconds(3))
        #expect(message.expiration == .seconds(3))
        #expect(try message.payload(PollJob.self) == job)
        #expect(
            String(decoding: message.body, as: UTF8.self)
                == #"{"items":[["e",3]],"returns":0,"several_pollers":true,"tick":4}"#)
        var returned: PollJob? = job
        for returns in 1...PollJob.maximumReturns {
            returned = returned?.returning(job.items)
            #expect(returned?.returns == returns)
        }
        #expect(returned?.returning(job.items) == nil)
        #expect(job.returning([]) == nil)
        let command = Command(
            id: "c", request: "r", caller: "me", fingerprint: "f", deadline: 1,
            action: .createEndpoint(EndpointDraft(id: "e", name: "n", baseURL: "http://h")))
        #expect(try Message(type: "command", payload: command).payload(Command.self) == command)
        #expect(throws: MalformedMessage.self) { try message.payload(Command.self) }
    }
}
