import CRabbitMQ
import Foundation
import Logging
import ServiceLifecycle
import Testing

@testable import AMQP

/// The real broker that the environment names.
enum LiveBroker {
    static var isAvailable: Bool { directory != nil && environmentURL != nil }
    static var url: String { get throws { try #require(environmentURL) } }
    static var directory: String? { ProcessInfo.processInfo.environment["ROLLCALL_TEST_BROKER"] }
    private static var environmentURL: String? { ProcessInfo.processInfo.environment["ROLLCALL_TEST_AMQP_URL"] }

    static let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../scripts/broker")
        .standardized.path

    /// Runs `scripts/broker` and returns what it printed.
    @discardableResult
    static func run(_ arguments: String...) async throws -> String {
        try await command(script, arguments)
    }

    @discardableResult
    static func command(_ path: String, _ arguments: [String]) async throws -> String {
        let output = FileManager.default.temporaryDirectory.appending(path: "amqp-\(UUID().uuidString)")
        defer { unlink(output.path) }
        let status = await withCheckedContinuation { continuation in
            // Not an owned thread: that blocks all signals, and a child inherits the mask.
            Thread.detachNewThread { continuation.resume(returning: spawn([path] + arguments, output: output.path)) }
        }
        let text = try String(contentsOf: output, encoding: .utf8)
        try #require(status == 0, "\(path) \(arguments): \(text)")
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Waits for the process itself. Foundation's `Process` also waits for those that it leaves running, and a broker
    /// is one.
    private static func spawn(_ command: [String], output: String) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let arguments = command.map { strdup($0) }
        defer {
            for argument in arguments { free(argument) }
        }
        var process: pid_t = 0
        let error = posix_spawn(&process, command[0], &actions, nil, arguments + [nil], environ)
        if error != 0 { return error }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// Names that no other test has, and a topology of them that is deleted after `body`.
    static func withNames<Value>(_ body: (Names) async throws -> Value) async throws -> Value {
        let names = Names()
        defer { names.delete() }
        return try await body(names)
    }

    struct Names: Sendable {
        let exchange: String
        let queue: String

        init() {
            let unique = UUID().uuidString.prefix(8)
            exchange = "amqp-test.\(unique)"
            queue = "amqp-test.\(unique).queue"
        }

        func topology(_ arguments: [String: FieldValue] = ["x-queue-type": .string("quorum")]) -> Topology {
            Topology(
                exchanges: [Exchange(name: exchange, kind: .direct)],
                queues: [Queue(name: queue, arguments: arguments)],
                bindings: [Binding(queue: queue, exchange: exchange, routingKey: "k")])
        }

        func deleteQueue() throws {
            try administer { handle in
                _ = handle.call { amqp_queue_delete(handle.connection, 1, handle.memory.bytes(queue), 0, 0) }
            }
        }

        func deleteExchange() throws {
            try administer { handle in
                _ = handle.call { amqp_exchange_delete(handle.connection, 1, handle.memory.bytes(exchange), 0) }
            }
        }

        func delete() {
            do {
                try deleteQueue()
                try deleteExchange()
            } catch {
                Issue.record(error, "cleaning up")
            }
        }

        private func administer(_ body: (BrokerHandle) -> Void) throws {
            let url = try LiveBroker.url
            let handle = try BrokerHandle.open(try BrokerURL(url), configuration(url))
            _ = handle.call { amqp_channel_open(handle.connection, 1) }
            body(handle)
            handle.close(timeout: .seconds(1))
        }
    }
}

/// Quick to connect again, and to see that a peer is gone.
func configuration(_ url: String) -> ConnectionConfiguration {
    var configuration = ConnectionConfiguration(urls: [url], name: "amqp-test")
    configuration.heartbeat = .seconds(1)
    configuration.minimumBackoff = .milliseconds(5)
    configuration.maximumBackoff = .milliseconds(50)
    return configuration
}

let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// Runs a connection around `body`, and stops it gracefully.
func withConnection<Value: Sendable>(
    _ configuration: ConnectionConfiguration, _ topology: Topology = Topology(), logger: Logger = quiet,
    _ body: (Connection) async throws -> Value
) async throws -> Value {
    let connection = try Connection(configuration: configuration, topology: topology, logger: logger)
    let group = ServiceGroup(services: [connection], logger: quiet)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(connection))
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return try result.get()
    }
}

extension Connection {
    /// The first status from now on that is as wanted.
    @discardableResult
    func waitFor(_ wanted: (ConnectionStatus) -> Bool) async -> ConnectionStatus {
        for await status in statusUpdates() where wanted(status) { return status }
        return .stopped
    }

    func waitUntilConnected() async { await waitFor { $0 == .connected } }

    func waitUntilDisconnected() async {
        await waitFor { if case .disconnected = $0 { true } else { false } }
    }

    /// The first reason that contains `text`.
    func waitForReason(_ text: String) async -> String {
        let status = await waitFor { status in
            if case .disconnected(let reason) = status { reason.contains(text) } else { false }
        }
        if case .disconnected(let reason) = status { return reason }
        return ""
    }
}

extension PublishReceipt {
    /// nil where the broker confirmed.
    func failure() async -> AMQPError.Code? {
        do throws(AMQPError) {
            try await confirmed()
            return nil
        } catch {
            return error.code
        }
    }
}

extension Subscription.AsyncIterator {
    /// Why the subscription ended; nil where it did not end with an error.
    mutating func failure() async -> AMQPError.Code? {
        do throws(AMQPError) {
            while try await next() != nil {}
            return nil
        } catch {
            return error.code
        }
    }
}

func message(_ number: Int = 0, bytes: Int? = nil) -> Message {
    let body = bytes.map { Array(repeating: UInt8(ascii: "x"), count: $0) } ?? Array("\(number)".utf8)
    return Message(body: body, type: "test", messageID: UUID().uuidString)
}
