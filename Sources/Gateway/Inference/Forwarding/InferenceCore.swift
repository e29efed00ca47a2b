import Catalog
import Launch
import Logging
import NIOCore

/// What all requests of inference share, on every event loop.
final class InferenceCore: Sendable {
    let catalog: any CatalogSource
    let dispatcher: Dispatcher
    let suspects: SuspectReporter
    let lifeSigns: LifeSigns
    let limits: InferenceLimits
    /// The limits' times, made ready for event loops.
    let times: Times
    /// What `X-Models-Etag` is taken from.
    let lists: ModelListCache
    let heldBytes: HeldBytes
    /// Names this deployment in `Via` (RFC 9110, 7.6.3): the same on all of its gateways, so that a request that comes
    /// back through another one is seen to go in a circle.
    let viaName: String
    /// This gateway's entry in `Via`.
    let via: String
    let storedResponses = StoredResponses()
    private let warnings = LogLimits()

    struct Times: Sendable {
        let body: TimeAmount
        let firstByte: TimeAmount
        let idle: TimeAmount
        let queue: TimeAmount

        init(_ limits: InferenceLimits) {
            body = TimeAmount(limits.bodyTimeout)
            firstByte = TimeAmount(limits.firstByteTimeout)
            idle = TimeAmount(limits.idleTimeout)
            queue = TimeAmount(limits.queueTimeout)
        }
    }

    init(
        catalog: any CatalogSource, dispatcher: Dispatcher, suspects: SuspectReporter, limits: InferenceLimits,
        lists: ModelListCache, viaName: String
    ) {
        self.catalog = catalog
        self.dispatcher = dispatcher
        self.suspects = suspects
        lifeSigns = LifeSigns { suspects.reportAlive($0) }
        self.limits = limits
        times = Times(limits)
        self.lists = lists
        self.viaName = viaName
        via = "1.1 \(viaName)"
        heldBytes = HeldBytes(limit: limits.heldBytes)
    }

    /// Says what went wrong, at most once in ten seconds for each endpoint.
    ///
    /// - Parameter endpoint: nil if no endpoint is to blame
    func warn(_ message: Logger.Message, _ endpoint: String?, _ logger: Logger, reason: String) {
        guard var metadata = warnings.admit(endpoint ?? "") else { return }
        if let endpoint { metadata[LogKey.endpoint] = "\(endpoint)" }
        metadata[LogKey.reason] = "\(reason)"
        logger.warning(message, metadata: metadata)
    }
}
