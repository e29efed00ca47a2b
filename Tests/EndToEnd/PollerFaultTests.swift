import Foundation
import TestSupport
import Testing

/// Pollers that die, hang, lose the network, or have a wrong clock; endpoints that misbehave.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct PollerFaultTests {
    static let interval = 2

    struct Parts: Sendable {
        let fleet: SimulatedFleet
        let pollers: [Node]
        let gateway: Node
    }

    private func run(
        endpoints: Int, pollers: [[String: String]], _ body: @escaping (Deployment, Parts) async throws -> Void
    ) async throws {
        try await Deployment.run(settings: ["ROLLCALL_POLL_INTERVAL": "\(Self.interval)"]) { deployment in
            let fleet = try await deployment.fleet(endpoints: endpoints)
            let names = try await fleet.truth().map(\.name)
            _ = try await deployment.registrar(
                "registrar", names.isEmpty ? [:] : ["ROLLCALL_ENDPOINTS": fleet.setting(names)])
            var started: [Node] = []
            for (index, settings) in pollers.enumerated() {
                started.append(try await deployment.poller("poller-\(index)", settings))
                // The first one to consume is the scheduler.
                if index == 0 { _ = try await self.scheduler(of: started) }
            }
            let gateway = try await deployment.readyGateway()
            try await self.online(gateway, count: endpoints)
            try await body(deployment, Parts(fleet: fleet, pollers: started, gateway: gateway))
        }
    }

    private func online(_ gateway: Node, count: Int) async throws {
        try await eventually("\(count) endpoints are online", within: .seconds(30)) {
            try await gateway.server.get("/v0/endpoints?state=online").json()["total"].integer == count
        }
    }

    private func scheduler(of pollers: [Node], within limit: Duration = .seconds(15)) async throws -> Int {
        try await eventually("one poller is the scheduler", within: limit) {
            for (index, poller) in pollers.enumerated() where poller.process.isRunning {
                if try await poller.server.get("/readyz").json()["scheduler"].bool == true { return index }
            }
            return nil
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func schedulerKilled() async throws {
        try await run(endpoints: 10, pollers: [[:], [:]]) { _, parts in
            await parts.pollers[0].process.killNow()
            let successor = try await scheduler(of: [parts.pollers[1]], within: .seconds(3))
            #expect(successor == 0)
            try await parts.fleet.resetCounters()
            try await eventually("all are polled within three intervals", within: .seconds(3 * Self.interval)) {
                try await parts.fleet.truth().allSatisfy { !$0.polls.isEmpty }
            }
            try await online(parts.gateway, count: 10)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func pollerKilledInMidBatch() async throws {
        try await run(endpoints: 20, pollers: [[:], [:]]) { _, parts in
            let watch = GatewayWatch(parts.gateway)
            let sampler = Sampler()
            try await sampler.during(watch.sample) {
                for endpoint in try await parts.fleet.truth() {
                    try await parts.fleet.patch(endpoint.name, #"{"behaviour":{"latency_ms":1500}}"#)
                }
                try await parts.fleet.resetCounters()
                try await eventually("polls are under way") {
                    try await parts.fleet.truth().contains { !$0.polls.isEmpty }
                }
                await parts.pollers[1].process.killNow()
                try await parts.fleet.resetCounters()
                try await eventually(
                    "all are polled within three intervals and their own slowness",
                    within: .seconds(3 * Self.interval + 2)
                ) {
                    try await parts.fleet.truth().allSatisfy { !$0.polls.isEmpty }
                }
            }
            #expect(sampler.violations == [])
            let states = try await parts.gateway.server.get("/v0/endpoints").json()["endpoints"].array
            #expect(states.allSatisfy { $0["state"].string == "online" })
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func schedulerStoppedForHalfAMinute() async throws {
        try await run(endpoints: 10, pollers: [[:], [:]]) { _, parts in
            parts.pollers[0].process.signal(SIGSTOP)
            let stopped = ContinuousClock.now
            try await Task.sleep(for: .seconds(3))  // only now do its results become old
            try await parts.fleet.resetCounters()
            for endpoint in try await parts.fleet.truth() {
                try await parts.fleet.setModels(endpoint.name, ["new-\(endpoint.name)"])
            }
            let wanted = Set(try await parts.fleet.truth().map { "new-\($0.name)" })
            // Three intervals, and 15 s because it hangs instead of dying.
            try await eventually("the change is listed", within: .seconds(3 * Self.interval + 15)) {
                Set(try await parts.gateway.server.models()) == wanted
            }
            try await Task.sleep(until: stopped + .seconds(30))
            let sampler = Sampler()
            try await sampler.during {
                let seen = Set(try await parts.gateway.server.models())
                return seen == wanted ? nil : "the list has changed: \(seen)"
            } _: {
                parts.pollers[0].process.signal(SIGCONT)
                try await eventually("it is back at work", within: .seconds(30)) {
                    try await parts.pollers[0].server.get("/readyz").status == 200
                }
                try await Task.sleep(for: .seconds(3))
            }
            #expect(sampler.violations == [])
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func pollerCutOffFromTheEndpoints() async throws {
        try await Deployment.run(settings: ["ROLLCALL_POLL_INTERVAL": "\(Self.interval)"]) { deployment in
            let fleet = try await deployment.fleet(endpoints: 12)
            let entries = try await fleet.truth().enumerated().map { index, endpoint in
                "\(endpoint.name)=\(fleet.base(endpoint.name, host: "127.0.0.\(index % 4 + 2)"))"
            }
            _ = try await deployment.registrar(
                "registrar", ["ROLLCALL_ENDPOINTS": entries.joined(separator: ",")])
            let cut = deployment.folder.appendingPathComponent("cut").path
            let lonely = try await deployment.poller("cut-off", try await networkCut(deployment, file: cut))
            let gateway = try await deployment.readyGateway()
            try await online(gateway, count: 12)
            let other = try await deployment.poller("whole")
            try await eventually("both take jobs", within: .seconds(20)) {
                let pollers = try await gateway.server.get("/v0/endpoints").json()["endpoints"].array
                return Set(pollers.compactMap { $0["poller"].string }).count == 2
            }

            let sampler = Sampler()
            try await sampler.during {
                let endpoints = try await gateway.server.get("/v0/endpoints").json()["endpoints"].array
                let offline = endpoints.filter { $0["state"].string == "offline" }
                return offline.isEmpty ? nil : "\(offline.count) are offline"
            } _: {
                #expect(FileManager.default.createFile(atPath: cut, contents: nil))
                try await eventually("it says that it is cut off") {
                    try lonely.process.output.contains("cut off")
                }
                try await fleet.resetCounters()
                try await eventually("the other one polls all", within: .seconds(3 * Self.interval + 10)) {
                    try await fleet.truth().allSatisfy { $0.polls.count >= 2 }
                }
            }
            #expect(sampler.violations == [])
            #expect(other.process.isRunning)
            try FileManager.default.removeItem(atPath: cut)
            try await eventually("it takes jobs again", within: .seconds(30)) {
                try await lonely.server.get("/readyz").json()["cut_off"].bool == false
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func anIntervalOfASecondIsKept() async throws {
        try await run(endpoints: 20, pollers: [["ROLLCALL_POLL_INTERVAL": "1"]]) { _, parts in
            // New endpoints are taken apart in their first interval.
            try await Task.sleep(for: .seconds(3))
            try await parts.fleet.resetCounters()
            try await Task.sleep(for: .seconds(10))
            let counts = try await parts.fleet.truth().map(\.polls.count)
            #expect(counts.allSatisfy { (9...11).contains($0) }, "polls in 10 s: \(counts.sorted())")
        }
    }

    /// Settings of a poller that reaches nothing but the broker while `file` exists.
    private func networkCut(_ deployment: Deployment, file: String) async throws -> [String: String] {
        let library = deployment.folder.appendingPathComponent("network_cut.so").path
        try await EndToEnd.run(
            "/usr/bin/env",
            ["cc", "-shared", "-fPIC", "-o", library, Paths.programs.appendingPathComponent("network_cut.c").path])
        return [
            "LD_PRELOAD": library, "NETWORK_CUT_FILE": file, "NETWORK_CUT_SPARE": "\(deployment.broker.port)",
        ]
    }

    /// Each takes itself for cut off, and hears that the other one is. So it is the endpoints that are away.
    @Test(.timeLimit(.minutes(3)))
    func allPollersCutOffFromTheEndpoints() async throws {
        try await Deployment.run(settings: ["ROLLCALL_POLL_INTERVAL": "\(Self.interval)"]) { deployment in
            let fleet = try await deployment.fleet(endpoints: 12)
            let entries = try await fleet.truth().enumerated().map { index, endpoint in
                "\(endpoint.name)=\(fleet.base(endpoint.name, host: "127.0.0.\(index % 4 + 2)"))"
            }
            _ = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": entries.joined(separator: ",")])
            let cut = deployment.folder.appendingPathComponent("cut").path
            let settings = try await networkCut(deployment, file: cut)
            for number in 1...2 { _ = try await deployment.poller("poller-\(number)", settings) }
            let gateway = try await deployment.readyGateway()
            try await online(gateway, count: 12)
            try await eventually("both take jobs", within: .seconds(20)) {
                let endpoints = try await gateway.server.get("/v0/endpoints").json()["endpoints"].array
                return Set(endpoints.compactMap { $0["poller"].string }).count == 2
            }
            #expect(FileManager.default.createFile(atPath: cut, contents: nil))
            try await eventually("all are offline", within: .seconds(25)) {
                try await gateway.server.get("/v0/endpoints?state=offline").json()["total"].integer == 12
            }
            try FileManager.default.removeItem(atPath: cut)
            try await online(gateway, count: 12)
        }
    }

    /// A server with one thread: its list waits behind a stream that lasts for ten timeouts, where three make an endpoint
    /// offline.
    @Test(.timeLimit(.minutes(2)))
    func aBusyEndpointStaysUsable() async throws {
        let thread = Semaphore()
        thread.signal()
        let server = RawServer { connection in
            while let request = connection.readRequest() {
                thread.wait()
                defer { thread.signal() }
                if request.line.contains(" /v1/models ") {
                    let list = #"{"object":"list","data":[{"id":"mlx","object":"model","owned_by":"mlx"}]}"#
                    connection.write(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(list.utf8.count)\r\n\r\n"
                            + list)
                } else if request.line.contains(" /v1/chat/completions ") {
                    connection.write(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
                    for number in 0..<40 {
                        connection.write("data: {\"i\":\(number)}\n\n")
                        usleep(500_000)
                    }
                    return
                } else {
                    connection.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                }
            }
        }
        let settings = ["ROLLCALL_POLL_INTERVAL": "\(Self.interval)", "ROLLCALL_POLL_TIMEOUT": "2"]
        try await Deployment.run { deployment in
            _ = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": "mlx=\(server.url)"])
            _ = try await deployment.poller("poller", settings)
            let gateway = try await deployment.readyGateway()
            try await online(gateway, count: 1)
            async let chat = gateway.server.send(
                "POST", "/v1/chat/completions", body: #"{"model":"mlx","stream":true}"#)
            var states: Set<String> = []
            for _ in 0..<36 {
                try await Task.sleep(for: .milliseconds(500))
                states.insert(try await gateway.server.endpoint("mlx")["state"].string ?? "")
                #expect(try await gateway.server.models() == ["mlx"])
            }
            #expect(states == ["online", "degraded"])
            #expect(try await chat.status == 200)
            try await online(gateway, count: 1)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func schedulerWithItsClockAnHourAheadThenGone() async throws {
        try await run(endpoints: 5, pollers: [["ROLLCALL_TEST_CLOCK_OFFSET": "3600"], [:]]) { _, parts in
            #expect(try await scheduler(of: parts.pollers) == 0)
            await parts.pollers[0].process.killNow()
            _ = try await scheduler(of: [parts.pollers[1]], within: .seconds(3))
            for endpoint in try await parts.fleet.truth() {
                try await parts.fleet.setModels(endpoint.name, ["after-\(endpoint.name)"])
            }
            let wanted = Set(try await parts.fleet.truth().map { "after-\($0.name)" })
            try await eventually("results still count", within: .seconds(3 * Self.interval)) {
                Set(try await parts.gateway.server.models()) == wanted
            }
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func threeEndpointsMisbehaveAndTheOthersAreOnTime() async throws {
        try await run(endpoints: 201, pollers: [[:]]) { _, parts in
            let faults = ["hang": "timeout", "huge": "too_large", "html": "html"]
            let names = try await parts.fleet.truth().map(\.name)
            let bad = Dictionary(uniqueKeysWithValues: zip(names, faults))
            for (name, fault) in bad {
                try await parts.fleet.patch(name, #"{"behaviour":{"fault":"\#(fault.key)"}}"#)
            }
            try await eventually("they are offline", within: .seconds(40)) {
                let offline = try await parts.gateway.server.get("/v0/endpoints?state=offline").json()
                return Set(offline["endpoints"].array.compactMap { $0["name"].string }) == Set(bad.keys)
            }
            for (name, fault) in bad {
                let error = try await parts.gateway.server.endpoint(name)["last_error"]["code"].string
                #expect(error == fault.value, "\(fault.key)")
            }
            let intervals = 5
            try await parts.fleet.resetCounters()
            try await Task.sleep(for: .seconds(intervals * Self.interval))
            let polled = try await parts.fleet.truth().filter { bad[$0.name] == nil }
            #expect(polled.count == 198)
            let counts = Set(polled.map(\.polls.count))
            #expect(
                counts.allSatisfy { (intervals - 1...intervals + 1).contains($0) },
                "polls of each in \(intervals) intervals: \(counts.sorted())")
        }
    }

    /// A fifth of the fleet begins to accept connections and to say nothing, and each of these polls lasts 30 s. They are
    /// in all of the 24 jobs of an interval, so a poller that holds a job until its slowest poll has ended is soon left
    /// without credit.
    @Test(.timeLimit(.minutes(3)))
    func aFifthOfTheFleetHangsAndTheOthersAreOnTime() async throws {
        let interval = 8
        let settings = ["ROLLCALL_POLL_INTERVAL": "\(interval)", "ROLLCALL_POLL_TIMEOUT": "30"]
        try await run(endpoints: 1000, pollers: [settings]) { _, parts in
            let names = try await parts.fleet.truth().map(\.name)
            let hanging = Set(names.enumerated().filter { $0.offset % 5 == 0 }.map(\.element))
            for name in hanging { try await parts.fleet.patch(name, #"{"behaviour":{"fault":"hang"}}"#) }
            try await parts.fleet.resetCounters()
            let start = Int(Date().timeIntervalSince1970 * 1000)
            try await Task.sleep(for: .seconds(3 * interval))
            var late: [String] = []
            for endpoint in try await parts.fleet.truth() where !hanging.contains(endpoint.name) {
                let times = [start] + endpoint.polls + [start + 3 * interval * 1000]
                let longest = zip(times.dropFirst(), times).map { $0 - $1 }.max() ?? .max
                if longest > 2 * interval * 1000 { late.append("\(endpoint.name) for \(longest) ms") }
            }
            #expect(late.isEmpty, "\(late.count) of 800 were not polled, such as \(late.first ?? "")")
        }
    }
}
