import AMQP
import Catalog
import Logging
import ServiceLifecycle

/// Writes images of the catalog while this poller is the scheduler.
///
/// It has a connection of its own. If the image stream is missing, or this user may not write to it, the broker closes the
/// channel that tried, and polls must not suffer from that.
struct ImageKeeper: Service {
    private static let interval = Duration.seconds(1)
    private static let confirmTimeout = Duration.seconds(30)

    let follower: CatalogFollower
    let publishing: Connection
    let brokerMap: BrokerMap
    let fleet: Fleet
    let clock: PollerClock
    let logger: Logger
    private let logLimits = LogLimits(interval: .seconds(600))

    init(
        follower: CatalogFollower, publishing: Connection, brokerMap: BrokerMap, fleet: Fleet, clock: PollerClock,
        logger: Logger
    ) {
        self.follower = follower
        self.publishing = publishing
        self.brokerMap = brokerMap
        self.fleet = fleet
        self.clock = clock
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var rule = ImageRule()
            while !Task.isCancelled {
                if fleet.isScheduler { await writeIfDue(&rule) }
                await clock.pause(Self.interval)
            }
        }
    }

    private func writeIfDue(_ rule: inout ImageRule) async {
        guard publishing.status == .connected, let progress = follower.imageProgress,
            rule.isDue(progress, now: clock.monotonic()), let (source, progress) = follower.imageSource(),
            let position = progress.position
        else { return }
        do {
            let image = try CatalogImage(of: source, at: position)
            for message in image.messages {
                try await publishing.publish(
                    message, to: BrokerMap.exchange(to: brokerMap.images), routingKey: "",
                    timeout: Self.confirmTimeout)
            }
            rule.wrote(size: image.size, at: progress, now: clock.monotonic())
            logger.debug(
                "An image of the catalog is written",
                metadata: ["offset": "\(position.offset)", "bytes": "\(image.size)"])
        } catch {
            rule.failed(now: clock.monotonic())
            guard !Task.isCancelled, var metadata = logLimits.admit("image") else { return }
            metadata["stream"] = "\(brokerMap.images)"
            metadata["reason"] = "\((error as? AMQPError)?.message ?? "\(error)")"
            logger.warning(
                "No image of the catalog could be written: processes that start read more of the catalog stream",
                metadata: metadata)
        }
    }
}
