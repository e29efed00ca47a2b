import Catalog
import Logging
import Testing

@testable import Poller

@Suite("What the log says of endpoints")
struct EndpointJournalTests {
    private func view(
        _ state: EndpointState, by poller: String = "me", error: String? = nil, lastOKAt: Int64? = nil, at: Int64 = 0
    ) -> EndpointView {
        var row = Samples.row("gpu", tick: 1, state: state, poller: poller)
        row.error = error.map { PollFailure(code: $0, message: "message of \($0)") }
        row.lastOKAt = lastOKAt
        row.observedAt = at
        return Samples.view(Samples.endpoint("gpu"), row)
    }

    private func messages(_ journal: inout EndpointJournal, _ views: [EndpointView]) -> [String] {
        views.compactMap { journal.note($0).map { "\($0.level) \($0.message)" } }
    }

    @Test("Each change is one line, and a poll that changes nothing is none")
    func changes() {
        var journal = EndpointJournal(poller: "me")
        let said = messages(
            &journal,
            [
                Samples.view(Samples.endpoint("gpu")), view(.online), view(.online),
                view(.degraded, error: "timeout"), view(.offline, error: "timeout"), view(.offline, error: "timeout"),
                view(.online), view(.online),
            ])
        #expect(
            said == [
                "info An endpoint is online",
                "info An endpoint is degraded: a poll has failed, and another one follows",
                "warning An endpoint is offline", "info An endpoint is online again",
            ])
    }

    @Test("Of two pollers the one that has made the poll says the line")
    func oneLineInTheFleet() {
        var (mine, other) = (EndpointJournal(poller: "me"), EndpointJournal(poller: "other"))
        let views = [view(.online), view(.degraded, by: "other", error: "timeout"), view(.offline, error: "timeout")]
        #expect(messages(&mine, views).count == 2)
        #expect(messages(&other, views) == ["info An endpoint is degraded: a poll has failed, and another one follows"])
    }

    @Test("A line names the endpoint, the address asked, the reason, and what to do")
    func reason() throws {
        var journal = EndpointJournal(poller: "me")
        let said = journal.note(view(.offline, error: "unauthorized"))
        let line = try #require(said)
        #expect(line.metadata["endpoint"] == "gpu")
        #expect(line.metadata["asked"] == "http://gpu.test:8000/v1/models")
        #expect(line.metadata["error"] == "unauthorized")
        #expect(line.metadata["reason"] == "message of unauthorized")
        #expect(line.metadata["to_do"]?.description.contains("update gpu --endpoint-key-file") == true)
    }

    @Test("Another reason is said, once for each until the endpoint is online again")
    func reasonsByTurns() {
        var journal = EndpointJournal(poller: "me")
        let reasons = ["timeout", "connect_failed", "timeout", "connect_failed"]
        let offline = reasons.map { view(.offline, error: $0) }
        #expect(messages(&journal, offline).count == 2)
        #expect(messages(&journal, [view(.online)] + offline).count == 3)
    }

    @Test("The line of a return says how long the endpoint was away")
    func away() throws {
        var journal = EndpointJournal(poller: "me")
        _ = journal.note(view(.offline, error: "timeout", lastOKAt: 10_000, at: 20_000))
        let said = journal.note(view(.online, lastOKAt: 75_000, at: 75_000))
        let line = try #require(said)
        #expect(line.metadata["away_seconds"] == "65")
    }

    @Test("What a new poller finds is no change, but a new scheduler names what is wrong")
    func opening() {
        var journal = EndpointJournal(poller: "new")
        let said = journal.note(view(.offline, error: "timeout"))
        #expect(said == nil)
        let lines = EndpointJournal.opening([view(.online), view(.offline, error: "timeout")])
        #expect(lines.count == 2)
        #expect(lines[0].metadata == ["online": "1", "offline": "1"])
        #expect(lines[1].metadata["reason"] == "message of timeout")
        let many = EndpointJournal.opening(Array(repeating: view(.offline, error: "timeout"), count: 25))
        #expect(many.count == 21 && many[0].metadata["not_named"] == "5")
    }
}
