import AMQP
import Catalog
import Logging
import ServiceLifecycle

/// Body of a tick: who proposed it. Whoever receives it gives it its number.
struct TickProposal: Sendable, Hashable, Codable {
    var poller: String
}

/// Puts a tick on the queue each second. Proposals that nobody takes go by the queue's own limits.
struct TickProposer: Service {
    private static let interval = Duration.seconds(1)

    let publishing: Connection
    let brokerMap: BrokerMap
    let poller: String
    let clock: PollerClock
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var next = clock.monotonic()
            while !Task.isCancelled {
                propose()
                // On a grid: what a turn takes does not add up.
                next = max(next + Self.interval, clock.monotonic())
                await clock.pause(next - clock.monotonic())
            }
        }
    }

    private func propose() {
        do {
            let tick = try Message(type: BrokerMap.MessageType.tick, payload: TickProposal(poller: poller))
            _ = try publishing.send(
                tick, to: BrokerMap.exchange(to: brokerMap.ticks), routingKey: "", timeout: .seconds(3))
        } catch {
            // The connection says in the log what it lacks; the next proposal comes in a second.
            logger.trace("A tick is not sent", metadata: ["error": "\(error)"])
        }
    }
}
