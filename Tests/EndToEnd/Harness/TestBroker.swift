import CRabbitMQ
import Foundation

@testable import AMQP

/// The private RabbitMQ node that `scripts/test` has started.
struct TestBroker: Sendable {
    let url: String
    let folder: String

    static let shared: TestBroker? = {
        let environment = ProcessInfo.processInfo.environment
        guard let url = environment["ROLLCALL_TEST_AMQP_URL"], let folder = environment["ROLLCALL_TEST_BROKER"] else {
            return nil
        }
        return TestBroker(url: url, folder: folder)
    }()

    static var isAvailable: Bool { shared != nil }

    var port: Int { URLComponents(string: url)?.port ?? 0 }

    /// rabbitmqctl; throws with what it printed where it fails.
    @discardableResult
    func control(_ arguments: String...) async throws -> String {
        try await run("/usr/bin/env", ["bash", Paths.scripts + "/broker", "ctl", folder, "--quiet"] + arguments)
    }

    /// Over AMQP, since each call of rabbitmqctl takes a second.
    func delete(_ topology: Topology) throws {
        let broker = try BrokerHandle.open(BrokerURL(url), ConnectionConfiguration(urls: [url], name: "clean-up"))
        func ask<T>(_ what: String, _ call: () -> UnsafeMutablePointer<T>?) throws {
            if broker.call(call) == nil { throw CommandFailed(description: "the broker does not delete \(what)") }
        }
        try ask("on a channel") { amqp_channel_open(broker.connection, 1) }
        for queue in topology.queues {
            try ask(queue.name) {
                amqp_queue_delete(broker.connection, 1, broker.memory.bytes(queue.name), 0, 0)
            }
        }
        for exchange in topology.exchanges {
            try ask(exchange.name) {
                amqp_exchange_delete(broker.connection, 1, broker.memory.bytes(exchange.name), 0)
            }
        }
        broker.close(timeout: .seconds(1))
    }
}

/// Where the build and the sources are, from this very file and the running test program.
enum Paths {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let scripts = root.appendingPathComponent("scripts").path
    static let programs = root.appendingPathComponent("Tests/EndToEnd/Programs")
    static let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    static var python: URL? {
        ProcessInfo.processInfo.environment["ROLLCALL_TEST_PYTHON"].map { URL(fileURLWithPath: $0) }
    }
}

struct CommandFailed: Error, CustomStringConvertible {
    let description: String
}

/// Runs a program to its end and gives what it printed.
@discardableResult
func run(_ executable: String, _ arguments: [String], environment: [String: String] = [:]) async throws -> String {
    let folder = FileManager.default.temporaryDirectory
    let log = folder.appendingPathComponent("rollcall-\(UUID().uuidString).log")
    defer { try? FileManager.default.removeItem(at: log) }
    let child = try ChildProcess(
        executable, executable: URL(fileURLWithPath: executable), arguments: arguments, environment: environment,
        log: log)
    let status = await child.exitStatus()
    let output = try child.output
    guard status == 0 else {
        throw CommandFailed(description: "\(arguments.joined(separator: " ")) ended with \(status): \(output)")
    }
    return output
}
