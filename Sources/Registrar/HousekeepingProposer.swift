import AMQP
import Catalog
import Logging
import ServiceLifecycle

/// Puts a proposal on the commands queue each second; who receives it does the periodic work.
///
/// Only while this registrar takes commands itself: proposals that nobody takes would pile up in the dead queue.
struct HousekeepingProposer: Service {
    /// The body of a proposal: who made it, for a person who looks at the queue.
    private struct Proposal: Encodable {
        var registrar: String
    }

    private static let interval = Duration.seconds(1)

    let queue: String
    let connection: Connection
    let activity: RegistrarActivity
    /// As in the broker's list of connections.
    let name: String
    let logger: Logger

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                while true {
                    try await Task.sleep(for: Self.interval)
                    if activity.mayPropose() { try await propose() }
                }
            }
        } catch is CancellationError {}
    }

    /// One that cannot be published is left out: the next one follows in a second.
    private func propose() async throws {
        let message = try Message(
            type: BrokerMap.MessageType.housekeeping, payload: Proposal(registrar: name),
            expiration: BrokerMap.housekeepingExpiration)
        activity.proposed(message.messageID)
        do {
            try await connection.publish(
                message, to: BrokerMap.exchange(to: queue), routingKey: "",
                timeout: BrokerMap.housekeepingExpiration)
        } catch {
            logger.debug("Housekeeping not proposed", metadata: ["error": "\(error)"])
        }
    }
}
