import Foundation
import Testing

/// Processes whose clocks are wrong, by libfaketime (Debian's package `faketime`).
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct ClockTests {
    /// A wrong clock that can be set while the process runs. Only the wall clock is wrong: a monotonic clock has no date.
    private struct WrongClock {
        let file: URL
        let settings: [String: String]

        /// - Parameter offset: as libfaketime has it, `-25s` or `+3h`.
        init(_ name: String, _ offset: String, in folder: URL) throws {
            file = folder.appendingPathComponent("\(name).clock")
            let root = URL(fileURLWithPath: "/usr/lib")
            let libraries = try FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)
                .map { $0.appendingPathComponent("faketime/libfaketimeMT.so.1").path }
                .filter { FileManager.default.fileExists(atPath: $0) }
            settings = [
                "LD_PRELOAD": try #require(libraries.first, "scripts/install test installs faketime"),
                "FAKETIME_TIMESTAMP_FILE": file.path, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            ]
            try set(offset)
        }

        func set(_ offset: String) throws { try Data("\(offset)\n".utf8).write(to: file) }
    }

    private func create(_ gateway: Node, _ name: String, async: Bool = false) async throws -> Answer {
        try await gateway.server.send(
            "POST", "/v0/endpoints", body: #"{"name":"\#(name)","base_url":"http://127.0.0.1:1/\#(name)"}"#,
            headers: async ? [("Prefer", "respond-async")] : [])
    }

    private func operation(_ gateway: Node, _ answer: Answer) async throws -> JSON {
        let id = try #require(try answer.json()["operation"].string)
        let state = try await gateway.server.get("/v0/operations/\(id)")
        #expect(state.status == 200)
        return try state.json()
    }

    @Test("A gateway whose clock is wrong writes at once, and nothing of it is done late", .timeLimit(.minutes(3)))
    func gateways() async throws {
        try await Deployment.run { deployment in
            let registrar = try await deployment.registrar()
            var gateways: [Node] = []
            for (name, offset) in [("slow", "-25s"), ("fast", "+25s"), ("hour", "+1h")] {
                let clock = try WrongClock(name, offset, in: deployment.folder)
                let gateway = try await deployment.readyGateway(name, clock.settings)
                gateways.append(gateway)
                let start = ContinuousClock.now
                let answer = try await create(gateway, name)
                #expect(answer.status == 201, "\(name): \(answer.text)")
                #expect(start.duration(to: .now) < .seconds(10), "\(name)")
                #expect(
                    try gateway.process.output.components(separatedBy: "The clocks of this gateway").count == 2,
                    "\(name) says once that its clock is wrong")
            }
            #expect(await registrar.process.stop() == 0)
            var answers: [Answer] = []
            for (number, gateway) in gateways.enumerated() {
                answers.append(try await create(gateway, "late-\(number)", async: true))
            }
            #expect(answers.map(\.status) == [202, 202, 202])
            // The commands are good for 20 s.
            try await Task.sleep(for: .seconds(21))
            _ = try await deployment.registrar("successor")
            for (gateway, answer) in zip(gateways, answers) {
                try await eventually("the command has an outcome", within: .seconds(20)) {
                    try await operation(gateway, answer)["state"].string != "pending"
                }
                #expect(try await operation(gateway, answer)["state"].string == "expired")
            }
            let names = try await gateways[0].server.get("/v0/endpoints").json()["endpoints"].array
                .compactMap { $0["name"].string }
            #expect(names == ["fast", "hour", "slow"])
        }
    }

    @Test("A registrar's clock that was hours ahead for a while makes no write hang", .timeLimit(.minutes(3)))
    func registrar() async throws {
        try await Deployment.run { deployment in
            let clock = try WrongClock("registrar", "+0s", in: deployment.folder)
            _ = try await deployment.registrar("registrar", clock.settings)
            let gateway = try await deployment.readyGateway()
            var number = 0
            for offset in ["+0s", "+3h", "+0s"] {
                try clock.set(offset)
                try await eventually("writes are done with a clock at \(offset)", within: .seconds(20)) {
                    number += 1
                    let start = ContinuousClock.now
                    let answer = try await create(gateway, "e\(number)")
                    #expect(start.duration(to: .now) < .seconds(10), "a write hangs at \(offset)")
                    return answer.status == 201
                }
                let answer = try await create(gateway, "async-\(number)", async: true)
                try await eventually("the operation ends at \(offset)", within: .seconds(10)) {
                    try await operation(gateway, answer)["state"].string == "succeeded"
                }
            }
        }
    }
}
