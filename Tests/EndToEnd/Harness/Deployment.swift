import Catalog
import Foundation
import Testing

/// Real processes of one deployment on the tests' broker, under a namespace of its own.
///
/// `run` stops all of them and deletes their queues, whatever the test did.
final class Deployment: Sendable {
    let namespace: String
    let folder: URL
    let broker: TestBroker
    /// Settings that every process of this deployment gets.
    let settings: [String: String]

    private let children: Children

    private actor Children {
        var all: [ChildProcess] = []
        func add(_ child: ChildProcess) { all.append(child) }
    }

    private init(broker: TestBroker, settings: [String: String]) throws {
        namespace = "t\(UInt32.random(in: 0...UInt32.max))"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(namespace)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.broker = broker
        self.settings = settings
        children = Children()
    }

    static func run(settings: [String: String] = [:], _ body: (Deployment) async throws -> Void) async throws {
        let broker = try #require(TestBroker.shared)
        let deployment = try Deployment(broker: broker, settings: settings)
        do {
            try await body(deployment)
        } catch {
            Issue.record("\(error); the processes' logs are in \(deployment.folder.path)")
            try await deployment.end(keepingLogs: true)
            return
        }
        try await deployment.end(keepingLogs: false)
    }

    private func end(keepingLogs: Bool) async throws {
        await withTaskGroup { group in
            for child in await children.all {
                group.addTask {
                    child.signal(SIGCONT)
                    let status = child.isRunning ? await child.stop() : await child.exitStatus()
                    let crashes = [SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE].map { -$0 }
                    // What it said last: the file goes with the test.
                    let last = (try? child.output)?.suffix(2000) ?? ""
                    #expect(!crashes.contains(status), "\(child.name) crashed, and said last:\n\(last)")
                }
            }
        }
        try broker.delete(BrokerMap(namespace: namespace).topology)
        if !keepingLogs { try FileManager.default.removeItem(at: folder) }
    }

    func start(
        _ program: String, name: String, _ own: [String: String] = [:], arguments: [String] = []
    ) async throws -> ChildProcess {
        let environment = [
            "ROLLCALL_AMQP_URL": broker.url, "ROLLCALL_NAMESPACE": namespace, "ROLLCALL_LOG_LEVEL": "debug",
        ].merging(settings) { $1 }.merging(own) { $1 }
        let child = try ChildProcess(
            name, executable: Paths.products.appendingPathComponent(program), arguments: arguments,
            environment: environment, log: folder.appendingPathComponent("\(name)-\(UInt32.random(in: 0...9999)).log"))
        await children.add(child)
        return child
    }
}

/// A process that answers HTTP at a port of its own.
struct Node: Sendable {
    let process: ChildProcess
    let server: Server
    let port: Int
}

/// Ports below the range that the kernel gives to outgoing connections; each given out once in a run.
enum Ports {
    static func free() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 12_000...19_999)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if bound == 0 { return port }
        }
        throw CommandFailed(description: "no free port between 12000 and 19999")
    }
}

extension Deployment {
    /// Stops at once when it is told to, unless `own` gives it time.
    func gateway(_ name: String = "gateway", _ own: [String: String] = [:]) async throws -> Node {
        let port = try Ports.free()
        let process = try await start(
            "rollcall-gateway", name: name,
            ["ROLLCALL_PORT": "\(port)", "ROLLCALL_DRAIN_SECONDS": "0"].merging(own) { $1 })
        return Node(process: process, server: Server(base: "http://127.0.0.1:\(port)"), port: port)
    }

    func readyGateway(
        _ name: String = "gateway", _ own: [String: String] = [:], within limit: Duration = .seconds(20)
    ) async throws -> Node {
        let node = try await gateway(name, own)
        try await eventually("\(name) is ready", within: limit) {
            try await node.server.get("/readyz").status == 200
        }
        return node
    }

    func poller(_ name: String = "poller", _ own: [String: String] = [:]) async throws -> Node {
        let port = try Ports.free()
        let process = try await start(
            "rollcall-poller", name: name, ["ROLLCALL_HEALTH_PORT": "\(port)"].merging(own) { $1 })
        return Node(process: process, server: Server(base: "http://127.0.0.1:\(port)"), port: port)
    }

    func registrar(
        _ name: String = "registrar", database: String = "registry", _ own: [String: String] = [:]
    ) async throws -> Node {
        let port = try Ports.free()
        let process = try await start(
            "rollcall-registrar", name: name,
            [
                "ROLLCALL_HEALTH_PORT": "\(port)",
                "ROLLCALL_DATABASE_URL": "sqlite:\(folder.path)/\(database).sqlite",
            ].merging(own) { $1 })
        return Node(process: process, server: Server(base: "http://127.0.0.1:\(port)"), port: port)
    }
}
