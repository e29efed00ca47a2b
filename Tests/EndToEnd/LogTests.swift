import Foundation
import Testing

/// What a person reads in the logs of a fleet.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct LogTests {
    private static let level = ["ROLLCALL_LOG_LEVEL": "info", "ROLLCALL_POLL_INTERVAL": "1"]

    /// The lines of all these processes that hold each of `parts`.
    private func lines(_ nodes: [Node], _ parts: String...) throws -> [String] {
        try nodes.flatMap { try $0.process.output.split(separator: "\n").map(String.init) }
            .filter { line in parts.allSatisfy(line.contains) }
    }

    /// One good endpoint, and four that are refused, unresolvable, want a key, and answer with a page.
    private func start(_ deployment: Deployment) async throws -> (fleet: SimulatedFleet, all: [Node], gateway: Node) {
        let fleet = try await deployment.fleet()
        for name in ["good", "locked", "page"] { try await fleet.put(name, models: ["m"]) }
        try await fleet.patch("locked", #"{"behaviour":{"key":"another"}}"#)
        try await fleet.patch("page", #"{"behaviour":{"fault":"html"}}"#)
        let entries = [
            "good=\(fleet.base("good"))", "refused=http://127.0.0.1:\(try Ports.free())",
            "unresolvable=http://gpu-1.invalid:8000", "locked=\(fleet.base("locked"))", "page=\(fleet.base("page"))",
        ]
        let pollers = [try await deployment.poller("one"), try await deployment.poller("two")]
        let registrar = try await deployment.registrar(
            "registrar", ["ROLLCALL_ENDPOINTS": entries.joined(separator: ",")])
        let gateway = try await deployment.readyGateway()
        try await eventually("four are offline, one is online", within: .seconds(30)) {
            let offline = try await gateway.server.get("/v0/endpoints?state=offline").json()["total"].integer
            let online = try await gateway.server.get("/v0/endpoints?state=online").json()["total"].integer
            return offline == 4 && online == 1
        }
        return (fleet, pollers + [registrar, gateway], gateway)
    }

    /// Until an endpoint was polled so many times more.
    private func polls(_ count: Int, of name: String, _ fleet: SimulatedFleet) async throws {
        func polled() async throws -> Int {
            try await fleet.truth().first { $0.name == name }.map(\.polls.count) ?? 0
        }
        let before = try await polled()
        try await eventually("\(count) polls more", within: .seconds(60)) { try await polled() >= before + count }
    }

    @Test(.timeLimit(.minutes(2)))
    func eachDeadEndpointIsSaidOnceWithWhatToDo() async throws {
        try await Deployment.run(settings: Self.level) { deployment in
            let (fleet, all, _) = try await start(deployment)
            try await polls(4, of: "good", fleet)
            let expected = [
                ("refused", "connect_failed", "Connection refused", "start the server"),
                ("unresolvable", "resolve_failed", "resolve host", "correct the host name"),
                ("locked", "unauthorized", "HTTP 401", "update locked --endpoint-key-file"),
                ("page", "html", "HTML", "correct port or path"),
            ]
            for (name, code, reason, advice) in expected {
                let said = try lines(all, "warning ", "An endpoint is offline", "endpoint=\(name) ")
                #expect(said.count == 1, "\(name): \(said)")
                for part in ["error=\(code) ", reason, advice, "asked=http://", "/v1/models"] {
                    #expect(said.first?.contains(part) == true, "\(part) in \(said)")
                }
            }
            let good = try lines(all, "An endpoint is online", "endpoint=good ")
            #expect(good.count == 1 && good.first?.contains("models=1") == true)
            for nothing in ["=\"\"", "left_out=0", "revision=0"] { #expect(try lines(all, nothing) == []) }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func anEndpointThatDiesAndComesBack() async throws {
        try await Deployment.run(settings: Self.level) { deployment in
            let (fleet, all, gateway) = try await start(deployment)
            func state(_ wanted: String) async throws {
                try await eventually("good is \(wanted)", within: .seconds(30)) {
                    try await gateway.server.endpoint("good")["state"].string == wanted
                }
            }
            try await fleet.patch("good", #"{"behaviour":{"fault":"500"}}"#)
            try await state("offline")
            try await polls(2, of: "good", fleet)
            try await fleet.patch("good", #"{"behaviour":{"fault":"none"}}"#)
            try await state("online")
            try await polls(2, of: "good", fleet)
            let said = try lines(all, "An endpoint is", "endpoint=good ").sorted()
            #expect(said.count == 4, "\(said)")
            for (line, part) in zip(
                said, ["is online ", "is degraded", "is offline", "is online again"])
            { #expect(line.contains(part)) }
            #expect(said.last?.contains(" away_seconds=") == true)
            #expect(said.dropFirst(2).first?.contains("HTTP 500") == true)
        }
    }

    /// A scheduler that begins after all others have gone says what was wrong before it.
    @Test(.timeLimit(.minutes(2)))
    func aNewSchedulerNamesWhatIsOffline() async throws {
        try await Deployment.run(settings: Self.level) { deployment in
            let (_, all, _) = try await start(deployment)
            for poller in all.prefix(2) { #expect(await poller.process.stop() == 0) }
            let late = [try await deployment.poller("late")]
            try await eventually("it says so") {
                try lines(late, "An endpoint has been offline already").count == 4
            }
            let opening = try lines(late, "This poller makes the schedule of polls offline=4 online=1")
            #expect(opening.count == 1)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func theBrokerIsLostAndFoundOnce() async throws {
        try await Deployment.run(settings: Self.level) { deployment in
            let (fleet, all, gateway) = try await start(deployment)
            try await deployment.broker.control("stop_app")
            do {
                try await eventually("all have noticed", within: .seconds(40)) {
                    try all.allSatisfy { try !lines([$0], "The broker is lost").isEmpty }
                }
                // Time for retries, which are not to be said.
                let before = try await gateway.server.get("/readyz").json()["age_seconds"].number ?? 0
                try await eventually("some seconds more") {
                    try await gateway.server.get("/readyz").json()["age_seconds"].number ?? 0 > before + 5
                }
            } catch {
                try await deployment.broker.control("start_app")
                throw error
            }
            try await deployment.broker.control("start_app")
            try await eventually("all are connected again", within: .seconds(60)) {
                try all.allSatisfy { try !lines([$0], "Connected to the broker again").isEmpty }
            }
            try await polls(2, of: "good", fleet)
            for node in all {
                let said = try lines([node], "broker")
                #expect(try lines([node], "warning ", "The broker is lost", "broker=127.0.0.1:").count == 1, "\(said)")
                #expect(try lines([node], "info ", "Connected to the broker again", "after_seconds=").count == 1)
                #expect(said.count == 3, "\(node.process.name): \(said)")
                #expect(try lines([node], "guest") == [])
            }
        }
    }
}
