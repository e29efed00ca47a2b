import AMQP
import ArgumentParser
import Catalog
import Logging

/// `rollcall broker tail`: what the processes say to one another, for people who look for a fault.
struct BrokerTailCommand: BrokerCommand {
    struct Group: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "broker", abstract: "What the processes say to one another, at the broker.",
            subcommands: [BrokerTailCommand.self])
    }

    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Print the messages of the catalog stream as they come. Ctrl-C ends it.",
        discussion: """
            A line is a message: its offset in the stream, its type, and its body as JSON. Sealed keys and digests of keys \
            are left out. It changes nothing, and takes no message from anyone. The user needs the right to read the \
            stream.

              rollcall broker tail --since 5m --type registry.changed --type operation.changed
            """)

    @OptionGroup var broker: BrokerOptions
    @OptionGroup var deployment: NamespaceOptions
    @OptionGroup var wait: WaitOptions

    @Option(help: ArgumentHelp("Only messages of this type; may be given again for another one.", valueName: "type"))
    var type: [String] = []

    @Option(
        help: ArgumentHelp(
            "Begin this long ago: 30s, 5m, 2h, 1d. Otherwise with the next message. The broker finds a piece of the "
                + "stream by its time, so that somewhat older messages may come first.", valueName: "time"))
    var since: StreamAge?

    func run(in session: BrokerSession) async throws {
        // Waits for the broker, and says it well if it cannot be had.
        let stream = session.map.catalog
        let reports = try await session.reports { (visit) throws(AMQPError) in try await visit.check() }
        try session.check(reports.filter { $0.item == .queue(stream) })
        let connection: Connection
        do throws(AMQPError) {
            connection = try Connection(
                configuration: session.configuration, topology: Topology(),
                logger: Logger(label: "rollcall") { _ in SwiftLogNoOpLogHandler() })
        } catch {
            throw CommandFailure(.usage, error.message)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await connection.run() }
            defer { group.cancelAll() }
            try await tail(stream, connection, session.console)
        }
    }

    /// Reads until the process ends. After a lost connection it goes on behind the last message.
    private func tail(_ stream: String, _ connection: Connection, _ console: Console) async throws {
        var start = since.map { FieldValue.string($0.text) } ?? .string("next")
        while true {
            do {
                let subscription = try await connection.subscribe(
                    to: stream, prefetch: 200, arguments: ["x-stream-offset": start])
                console.progress("reading \(stream)")
                for try await delivery in subscription {
                    subscription.acknowledge(delivery)
                    guard let offset = delivery.streamOffset else { continue }
                    start = .integer(offset + 1)
                    guard type.isEmpty || type.contains(delivery.message.type) else { continue }
                    try console.write(BrokerMessageText.line(delivery.message, at: offset) + "\n")
                }
            } catch let error as AMQPError {
                guard error.code.concernsConnection, !Task.isCancelled else { throw BrokerSession.failure(error) }
                console.progress("the broker is lost, and read on once it is back: \(error.message)")
            }
        }
    }
}

/// How long ago, as RabbitMQ's `x-stream-offset` takes it.
struct StreamAge: ExpressibleByArgument {
    /// `5m`, `1D`.
    let text: String

    init?(argument: String) {
        guard let unit = argument.last, "smhd".contains(unit), let count = UInt32(argument.dropLast()), count > 0 else {
            return nil
        }
        text = unit == "d" ? "\(count)D" : argument
    }
}
