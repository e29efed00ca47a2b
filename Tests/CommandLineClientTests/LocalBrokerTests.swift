import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import CommandLineClient

@Suite("The broker that topology asks", .timeLimit(.minutes(1)))
struct LocalBrokerTests {
    @Test("That of a run in this checkout, if it listens, and the options and the environment before it")
    func places() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("checkout-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        func put(_ run: String, port: Int) throws {
            let place = folder.appendingPathComponent(".rollcall/\(run)/broker")
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try Data("\(port) 1\n".utf8).write(to: place.appendingPathComponent("ports"))
        }
        func place(_ arguments: [String] = [], _ environment: [String: String] = [:]) throws -> BrokerOptions.Place {
            try BrokerOptions.parse(arguments).place(environment, folder: folder.appendingPathComponent("a/b").path)
        }
        #expect(try place().description == "127.0.0.1:5672, the usual address")
        let broker = RawServer { _ in }
        try put("test", port: broker.port)
        try put("run", port: 1)
        #expect(try place().source == "the usual address")
        try put("demo", port: broker.port)
        #expect(
            try place()
                == .init(
                    urls: ["amqp://guest:guest@127.0.0.1:\(broker.port)/"],
                    source: "which a run in .rollcall/demo has started"))
        try put("run-8401", port: broker.port)
        #expect(try place().source == "which a run in .rollcall/run-8401 has started")
        try put("run", port: broker.port)
        #expect(try place().description == "127.0.0.1:\(broker.port), which a run in .rollcall/run has started")

        let environment = ["ROLLCALL_AMQP_URL": "amqps://u:p%40@one/v, amqp://u:a@b@[::1]:7/"]
        #expect(try place([], environment).description == "one, [::1]:7, of ROLLCALL_AMQP_URL")
        #expect(try place(["--amqp-url", "amqp://two:1"], environment).description == "two:1, of --amqp-url")
        #expect(throws: CommandFailure.self) { try place(["--amqp-url", "amqp://a", "--amqp-url-file", "f"]) }
        withExtendedLifetime(broker) {}
    }

    @Test("The command says which it is, and no password")
    func said() async throws {
        let ended = try await Program([
            "topology", "check", "--amqp-url", "amqp://u:hunter2@127.0.0.1:1/", "--timeout", "0",
        ])
        .end()
        #expect(ended.code == 69 && ended.errors.hasPrefix("broker: 127.0.0.1:1, of --amqp-url\nerror: "))
        #expect(!ended.errors.contains("hunter2"))
    }
}
