import Logging
import Synchronization

/// Says once for each endpoint that its list has entries that are left out. They come with every poll, and without the line
/// nobody would know why a model is missing.
final class SkippedEntries: Sendable {
    private let logger: Logger
    private let told = Mutex<Set<String>>([])

    init(logger: Logger) { self.logger = logger }

    /// Takes in what a poll has left out. An endpoint whose list has been whole in between is told of again.
    func note(_ count: Int, of endpoint: String) {
        let isNew = told.withLock { told in
            guard count > 0 else {
                if !told.isEmpty { told.remove(endpoint) }
                return false
            }
            return told.insert(endpoint).inserted
        }
        guard isNew else { return }
        logger.warning(
            "Models of an endpoint are left out: their ids are empty, have control characters, or are too long",
            metadata: [
                "endpoint": "\(endpoint)", "count": "\(count)", "longest": "\(ModelListing.maximumIDLength) bytes",
            ])
    }
}
