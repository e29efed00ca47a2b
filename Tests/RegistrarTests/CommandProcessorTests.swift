import AMQP
import Catalog
import Foundation
import GRDB
import Testing

@testable import Registrar

@Suite struct CommandProcessorTests {
    static func delivery(_ message: Message, count: Int64 = 0) -> Delivery {
        Delivery(message: message, tag: 1, redelivered: count > 0, streamOffset: nil, deliveryCount: count)
    }

    static func delivery(_ command: Command, count: Int64 = 0) throws -> Delivery {
        delivery(try Message(type: "command", payload: command), count: count)
    }

    static func raw(_ text: String, type: String = "command") -> Delivery {
        delivery(Message(body: Array(text.utf8), type: type, messageID: "m"))
    }

    @Test func aBatchIsExecutedInItsOrderAndAnnouncedAtOnce() async throws {
        let bench = try Bench()
        let outcome = try await bench.processor().process([
            Self.delivery(command("a", .createEndpoint(draft(1)))),
            Self.raw("{}", type: "housekeeping"),
            Self.delivery(command("b", .deleteEndpoint(id: uuid(1)))),
        ])
        #expect(outcome.dispositions == [.acknowledge, .acknowledge, .acknowledge])
        #expect(outcome.isProposed)
        #expect(bench.stream.takeWords() == ["operation a 201", "tombstone 2", "operation b 204"])
        #expect(bench.stream.attempts == 1)
        #expect(try await bench.store.state().announced == 2)
    }

    private static func traced(_ command: Command, _ digit: Character) throws -> Delivery {
        let id = String(repeating: digit, count: 32)
        let trace = TraceContext(parent: "00-\(id)-b7ad6b7169203331-01", state: "a=\(digit)")
        return delivery(try TraceContext.$current.withValue(trace) { try Message(type: "command", payload: command) })
    }

    private static func digits(_ messages: [TracedMessage]) -> [String] {
        zip(words(messages), messages).map { "\($0) \($1.trace?.traceID.first.map(String.init) ?? "-")" }
    }

    @Test func eachAnnouncementCarriesTheTraceOfItsCommand() async throws {
        let bench = try Bench()
        let first = try Self.traced(command("a", .createEndpoint(draft(1))), "1")
        _ = try await bench.processor().process([
            first, Self.delivery(command("b", .createEndpoint(draft(2)))),
            Self.traced(command("c", .deleteEndpoint(id: uuid(1))), "3"),
            Self.traced(command("a", .createEndpoint(draft(3)), fingerprint: "other"), "4"),
            Self.delivery(
                Message(
                    body: Array(#"{"id":"p"}"#.utf8), type: "command", messageID: "m",
                    headers: try Self.traced(command("x", .deleteEndpoint(id: "x")), "5").message.headers)),
        ])
        #expect(
            Self.digits(bench.stream.traced) == [
                "operation a 201 1", "gpu-2 2 -", "operation b 201 -", "tombstone 3 3", "operation c 204 3",
                "operation request-a-other 422 4", "operation p 503 5",
            ])
        _ = bench.stream.takeWords()
        _ = try await bench.processor().process([Self.traced(command("a", .createEndpoint(draft(1))), "6")])
        #expect(Self.digits(bench.stream.traced) == ["operation a 201 6"], "of the one who asks again")
    }

    @Test func aTraceOutlivesTheRegistrarThatDidNotComeToAnnounceIt() async throws {
        let bench = try Bench()
        let delivery = try Self.traced(command("a", .createEndpoint(draft(1))), "1")
        guard case .command(let command) = DeliveryReading(delivery.message) else {
            Issue.record("not read as a command")
            return
        }
        _ = try await bench.store.execute(command, at: noon)
        let next = Announcer(
            store: try bench.files.open(), stream: bench.stream, patience: bench.patience, logger: quiet)
        try await next.announce()
        #expect(Self.digits(bench.stream.traced) == ["gpu-1 1 1", "operation a 201 1"])
    }

    @Test func proposalsAloneAnnounceNothing() async throws {
        let bench = try Bench()
        let outcome = try await bench.processor().process([Self.raw("{}", type: "housekeeping")])
        #expect(outcome.isProposed)
        #expect(bench.stream.attempts == 0)
    }

    @Test func aRedeliveredCommandGetsTheSameAnswerOnceMore() async throws {
        let bench = try Bench()
        let delivery = try Self.delivery(command("a", .createEndpoint(draft(1))))
        _ = try await bench.processor().process([delivery])
        #expect(bench.stream.takeWords() == ["gpu-1 1", "operation a 201"])
        let again = try await bench.processor().process([delivery])
        #expect(again.dispositions == [.acknowledge])
        #expect(bench.stream.takeWords() == ["operation a 201"])
        #expect(try await bench.store.state().revision == 1)
    }

    @Test func aRepeatOfWhatIsInWorkDoesNotTakeBackItsSteps() async throws {
        let bench = try Bench()
        let delivery = try Self.delivery(command("a", .registerModel(RegistrationRequest(repo: "org/m"))))
        _ = try await bench.processor().process([delivery])
        let again = try await bench.processor().process([delivery])
        #expect(again.dispositions == [.acknowledge])
        #expect(bench.stream.takeWords() == [])
        #expect(try await bench.store.accepted().count == 1)
    }

    @Test(
        "Poison goes to the dead queue; who waits for it is told where its id can be read",
        arguments: [
            ("command", "{not json", nil),
            ("command", "[]", nil),
            ("command", String(repeating: "\0", count: 1_000_000), nil),
            ("command", #"{"id":""}"#, nil),
            ("command", #"{"id":7}"#, nil),
            ("command", #"{"id":"p","fingerprint":"f","action":{"formatDisk":{}}}"#, "operation p 503"),
            ("command.v9", #"{"id":"p"}"#, "operation p 503"),
            ("", "x", nil),
        ] as [(String, String, String?)])
    func poison(type: String, body: String, says: String?) async throws {
        let bench = try Bench()
        let good = try Self.delivery(command("a", .createEndpoint(draft(1))))
        let outcome = try await bench.processor().process([Self.raw(body, type: type), good])
        #expect(outcome.dispositions == [.reject, .acknowledge])
        let revision = says == nil ? 1 : 2
        #expect(bench.stream.takeWords() == (says.map { [$0] } ?? []) + ["gpu-1 \(revision)", "operation a 201"])
    }

    @Test(arguments: [(17, 201, CommandProcessor.Disposition.acknowledge), (18, 503, .reject)])
    func nearTheDeliveryLimitACommandFails(
        count: Int64, status: Int, disposition: CommandProcessor.Disposition
    ) async throws {
        let bench = try Bench()
        let delivery = try Self.delivery(command("a", .createEndpoint(draft(1))), count: count)
        let outcome = try await bench.processor().process([delivery])
        #expect(outcome.dispositions == [disposition])
        #expect(bench.stream.takeWords().last == "operation a \(status)")
        #expect(try await bench.store.records().count == (status == 201 ? 1 : 0))
    }

    @Test func aCommandThatTheDatabaseCannotTakeIsSetAsideAndBlocksNobody() async throws {
        let bench = try Bench()
        try await bench.store.database.write { database in
            try database.execute(
                sql: """
                    CREATE TRIGGER refuse BEFORE INSERT ON endpoints WHEN NEW.name = 'gpu-1'
                    BEGIN SELECT RAISE(ABORT, 'no'); END
                    """)
        }
        let outcome = try await bench.processor().process([
            Self.delivery(command("a", .createEndpoint(draft(1)))),
            Self.delivery(command("b", .createEndpoint(draft(2)))),
        ])
        #expect(outcome.dispositions == [.reject, .acknowledge])
        #expect(bench.stream.takeWords() == ["operation a 503", "gpu-2 2", "operation b 201"])
    }

    @Test("A database that another process writes to is waited for", .timeLimit(.minutes(1)))
    func busy() async throws {
        let bench = try Bench()
        let other = try bench.files.open()
        let held = DispatchSemaphore(value: 0)
        let release = DispatchSemaphore(value: 0)
        let thread = Thread {
            do {
                try other.database.inTransaction(.immediate) { _ in
                    held.signal()
                    release.wait()
                    return .rollback
                }
            } catch {
                Issue.record(error)
            }
        }
        thread.start()
        await withCheckedContinuation { done in
            DispatchQueue.global().async {
                held.wait()
                done.resume()
            }
        }
        // Let go only after SQLite's own timeout has passed at least once.
        let patience = Patience(logger: quiet) { _ in release.signal() }
        let announcer = Announcer(store: bench.store, stream: bench.stream, patience: patience, logger: quiet)
        let processor = CommandProcessor(
            announcer: announcer, failpoint: { _ in }, logger: quiet, wallClock: { noon })
        let outcome = try await processor.process([Self.delivery(command("a", .createEndpoint(draft(1))))])
        #expect(outcome.dispositions == [.acknowledge])
        #expect(bench.stream.takeWords() == ["gpu-1 1", "operation a 201"])
    }

    @Test(
        "Killed anywhere, a command has one effect and one answer", arguments: Failpoint.allCases)
    func killed(at chosen: Failpoint) async throws {
        let handler: FailpointHandler = { if $0 == chosen { throw RegistryStoreError(.unusable, "killed") } }
        let bench = try Bench(failpoint: handler)
        let delivery = try Self.delivery(command("a", .createEndpoint(draft(1))))
        await #expect(throws: RegistryStoreError.self) {
            try await bench.processor(failpoint: handler).process([delivery])
        }
        try bench.store.database.close()

        let next = Announcer(
            store: try bench.files.open(), stream: bench.stream, patience: bench.patience, logger: quiet)
        let processor = CommandProcessor(
            announcer: next, failpoint: { _ in }, logger: quiet, wallClock: { noon })
        let outcome = try await processor.process([delivery])
        #expect(outcome.dispositions == [.acknowledge])
        let said = bench.stream.takeWords()
        #expect(said.prefix(2) == ["gpu-1 1", "operation a 201"])
        #expect(Set(said).count == 2)
        #expect(try await next.store.state().revision == 1)
        #expect(try await next.store.state().announced == 1)
    }
}
