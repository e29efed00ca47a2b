import NIOCore

/// The idle connections of one event loop to one origin.
///
/// They are kept newest first, since an endpoint closes those that have been idle longest.
final class IdleConnections {
    let origin: Origin
    private let configuration: UpstreamPool.Configuration
    private var idle: [UpstreamHandler] = []

    init(origin: Origin, configuration: UpstreamPool.Configuration) {
        self.origin = origin
        self.configuration = configuration
    }

    var isEmpty: Bool { idle.isEmpty }

    /// nil if there is none.
    func takeIdle() -> UpstreamHandler? {
        let now = NIODeadline.now()
        while let connection = idle.popLast() {
            if connection.isOpen, connection.idleUntil > now { return connection }
            connection.close()
        }
        return nil
    }

    /// Keeps a connection whose last exchange is over. `lifetime` is what the endpoint said of it.
    func keep(_ connection: UpstreamHandler, lifetime: TimeAmount?) {
        guard connection.isOpen, idle.count < configuration.maximumIdle else {
            connection.close()
            return
        }
        // A second less than the endpoint's own limit: a request takes some time to get there.
        let allowed = lifetime.map { max(.zero, $0 - .seconds(1)) } ?? configuration.idleLifetime
        connection.idleUntil = .now() + allowed
        idle.append(connection)
    }

    /// An idle connection has been closed by its endpoint.
    func forget(_ connection: UpstreamHandler) {
        if let index = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: index) }
    }

    func closeExpired(_ now: NIODeadline) {
        // The oldest stand first.
        let expired = idle.prefix { $0.idleUntil <= now }
        idle.removeFirst(expired.count)
        for connection in expired { connection.close() }
    }

    func closeAll() {
        let all = idle
        idle = []
        for connection in all { connection.close() }
    }
}
