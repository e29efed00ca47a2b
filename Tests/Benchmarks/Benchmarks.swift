import AMQP
import Catalog
import Foundation
import Logging

/// Fills a catalog stream for `make bench`, as the registrar and the pollers of a fleet would.
///
///     Benchmarks CONTENT NAMESPACE ENDPOINTS MODELS DISTINCT_MODELS BASE_URL POLL_INTERVAL
///
/// on the broker at ROLLCALL_AMQP_URL; the endpoints' URLs are BASE_URL/e/<n>. Prints the messages and bytes written.
@main
struct Benchmarks {
    enum Content: String {
        /// The records and a checkpoint.
        case registry
        /// The same, and the first poll of each endpoint.
        case lists
        /// What eleven minutes of polling leave, with images: see `SyntheticFleet.window`.
        case window
        /// Further polls for a stream that has `lists`: see `SyntheticFleet.backlog`.
        case backlog
    }

    let content: Content
    let map: BrokerMap
    let brokerURL: String
    let fleet: SyntheticFleet

    init?(_ arguments: [String], environment: [String: String]) {
        guard arguments.count == 7, let content = Content(rawValue: arguments[0]),
            let brokerURL = environment["ROLLCALL_AMQP_URL"], let endpoints = Int(arguments[2]),
            let models = Int(arguments[3]), let distinct = Int(arguments[4]), let pollInterval = Int(arguments[6])
        else { return nil }
        self.content = content
        self.brokerURL = brokerURL
        map = BrokerMap(namespace: arguments[1])
        fleet = SyntheticFleet(
            size: endpoints, modelsEach: models, distinct: distinct, base: arguments[5], pollInterval: pollInterval)
    }

    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let benchmarks = Benchmarks(arguments, environment: ProcessInfo.processInfo.environment) else {
            print(
                "usage: Benchmarks registry|lists|window|backlog NAMESPACE ENDPOINTS MODELS DISTINCT BASE_URL "
                    + "POLL_INTERVAL")
            exit(64)
        }
        try await benchmarks.fill()
    }

    private func fill() async throws {
        var logger = Logger(label: "benchmarks")
        logger.logLevel = .warning
        let connection = try Connection(
            configuration: ConnectionConfiguration(urls: [brokerURL], name: "benchmarks"), topology: map.topology,
            logger: logger)
        try await withThrowingTaskGroup { group in
            group.addTask { try await connection.run() }
            for await status in connection.statusUpdates() where status == .connected { break }
            var writer = StreamWriter(connection: connection, exchange: BrokerMap.exchange(to: map.catalog))
            var images = ImageLog(connection: connection, map: map)
            try await write(to: &writer, &images)
            try await writer.flush()
            print(writer.messages, writer.bytes)
            group.cancelAll()
        }
    }

    private func write(to writer: inout StreamWriter, _ images: inout ImageLog) async throws {
        switch content {
        case .registry:
            for message in fleet.registry { try await writer.write(message) }
        case .lists:
            for message in fleet.registry + fleet.firstPolls { try await writer.write(message) }
        case .window:
            try await fleet.window { message in
                let before = writer.bytes
                try await writer.write(message)
                try await images.note(message, &writer, bytes: before)
            }
        case .backlog:
            try await fleet.backlog { try await writer.write($0) }
        }
    }
}
