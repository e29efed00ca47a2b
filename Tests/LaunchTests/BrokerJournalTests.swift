import AMQP
import Logging
import Synchronization
import Testing

@testable import Launch

@Suite("What a process says of its broker")
struct BrokerJournalTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
        func taken() -> [String] {
            all.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    private let lines = Lines()
    private let journal: BrokerJournal
    private let start = ContinuousClock.now

    init() {
        let lines = lines
        journal = BrokerJournal(
            logger: Logger(label: "test") { label in
                LineLogHandler(
                    label: label, format: .text, level: .info,
                    write: { line, _ in lines.all.withLock { $0.append(line) } })
            })
    }

    private func note(_ event: ConnectionEvent, of connection: String, after seconds: Int = 0) {
        journal.note(event, of: connection, at: start + .seconds(seconds))
    }

    private func lost(_ reason: String = "closed") -> ConnectionEvent {
        .failed(broker: "host:1", AMQPError(.connectionLost, reason))
    }

    @Test("A loss is one line, and the return is one line, whatever the number of connections and tries")
    func lostAndFound() {
        for name in ["publish", "consume"] { note(.connected(broker: "host:1"), of: name) }
        let first = lines.taken()
        #expect(first.count == 1 && first[0].contains("info     test Connected to the broker broker=host:1\n"))

        for _ in 1...3 { for name in ["publish", "consume"] { note(lost(), of: name, after: 1) } }
        let loss = lines.taken()
        #expect(loss.count == 1)
        #expect(loss.first?.contains("warning  test The broker is lost") == true)
        #expect(loss.first?.contains("broker=host:1 reason=closed") == true)

        note(.connected(broker: "host:1"), of: "publish", after: 12)
        #expect(lines.taken() == [])
        note(.connected(broker: "host:1"), of: "consume", after: 13)
        let found = lines.taken()
        #expect(found.count == 1)
        #expect(
            found.first?.contains("info     test Connected to the broker again after_seconds=12 broker=host:1") == true)
    }

    @Test("A broker that is away from the beginning is said to be so, with the setting")
    func awayFromTheBeginning() {
        for _ in 1...3 { for name in ["publish", "consume"] { note(lost("refused"), of: name) } }
        let first = lines.taken()
        #expect(first.count == 1)
        #expect(
            first.first?.contains("cannot be reached") == true && first.first?.contains("ROLLCALL_AMQP_URL") == true)
        for name in ["publish", "consume"] { note(.connected(broker: "host:1"), of: name, after: 2) }
        #expect(lines.taken().count == 1)
    }

    @Test("A refusal is an error, once for each reason, also in the middle of an outage")
    func refusals() {
        func refused(_ reason: String) -> ConnectionEvent {
            .failed(broker: "host:1", AMQPError(.accessRefused, reason))
        }
        note(lost(), of: "publish")
        #expect(lines.taken().count == 1)
        for _ in 1...2 { for name in ["publish", "consume"] { note(refused("login"), of: name) } }
        let refusal = lines.taken()
        #expect(refusal.count == 1 && refusal[0].contains("error    test The broker refuses this process"))
        note(refused("vhost"), of: "publish")
        #expect(lines.taken().count == 1)
    }

    @Test("What a broker refuses in its first seconds is not said, if it had allowed it before")
    func refusalsOfAStart() {
        let refusal = ConnectionEvent.failed(broker: "host:1", AMQPError(.accessRefused, "no such vhost"))
        let absence = ConnectionEvent.failed(broker: "host:1", AMQPError(.channelClosed, "queue q: 404 NOT_FOUND"))
        note(.connected(broker: "host:1"), of: "publish")
        note(lost(), of: "publish", after: 1)
        _ = lines.taken()
        note(absence, of: "publish", after: 2)
        note(refusal, of: "publish", after: 3)
        note(refusal, of: "publish", after: 12)
        #expect(lines.taken() == [])
        note(refusal, of: "publish", after: 13)
        note(refusal, of: "publish", after: 14)
        #expect(lines.taken().count == 1)
    }

    @Test("An alarm of the broker is one line, and its end is one line")
    func alarms() {
        note(.connected(broker: "host:1"), of: "publish")
        _ = lines.taken()
        for _ in 1...2 { note(.blocked(reason: "low on memory"), of: "publish") }
        #expect(lines.taken().map { $0.contains("takes no messages") } == [true])
        note(.unblocked, of: "publish")
        note(.unblocked, of: "publish")
        #expect(lines.taken().map { $0.contains("takes messages again") } == [true])
    }
}
