import Catalog

/// An endpoint's record, made ready for requests to be sent to it on one event loop.
final class UpstreamTarget {
    /// Of the record.
    let revision: Int64
    /// Stands before each route; empty, or with a leading and without a trailing slash.
    let pathPrefix: String
    /// The value of `Host`.
    let authority: String
    /// The lines that carry the endpoint's own key, each with a line break before it. nil if it has none.
    let credentials: String?
    /// Anthropic's API: the key is in `x-api-key`, and each request names a version.
    let isAnthropic: Bool
    /// The routes of OpenAI's API follow the prefix without `/v1`.
    let isVersionedRoot: Bool
    let connections: IdleConnections

    init(
        revision: Int64, pathPrefix: String, key: String?, isAnthropic: Bool = false, isVersionedRoot: Bool = false,
        connections: IdleConnections
    ) {
        self.revision = revision
        self.pathPrefix = pathPrefix
        authority = connections.origin.authority
        credentials = key.map { isAnthropic ? "\r\nX-Api-Key: \($0)" : "\r\nAuthorization: Bearer \($0)" }
        self.isAnthropic = isAnthropic
        self.isVersionedRoot = isVersionedRoot
        self.connections = connections
    }
}

/// The endpoints of one event loop, made ready once for each change of a record: unsealing a key and taking a URL apart
/// cost more than a request may.
final class UpstreamTargets {
    /// An endpoint cannot be used by this gateway, whatever it says of itself.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    private let keyRing: KeyRing?
    private let pool: UpstreamPool
    private var held: [String: UpstreamTarget] = [:]
    /// Endpoints come and go; what is forgotten is made again.
    private let capacity = 50_000

    /// - Parameter keyRing: nil if ROLLCALL_SECRET_KEY is not set: endpoints that need a key cannot be used then
    init(keyRing: KeyRing?, pool: UpstreamPool) {
        self.keyRing = keyRing
        self.pool = pool
    }

    func target(of endpoint: HeldEndpoint) throws -> UpstreamTarget {
        let isAnthropic = endpoint.kind == .anthropic
        if let held = held[endpoint.id], held.revision == endpoint.revision, held.isAnthropic == isAnthropic {
            return held
        }
        let record = endpoint.record
        guard let address = EndpointAddress(baseURL: record.baseURL) else {
            throw Unusable(description: "its base URL cannot be read")
        }
        let key = try record.sealedAPIKey.map { sealed in
            guard let keyRing else { throw Unusable(description: "ROLLCALL_SECRET_KEY is not set") }
            return try keyRing.unseal(sealed, for: record.id)
        }
        let target = UpstreamTarget(
            revision: record.revision, pathPrefix: address.pathPrefix, key: key, isAnthropic: isAnthropic,
            isVersionedRoot: APIRoot.isVersioned(record.baseURL),
            connections: pool.connections(to: address.origin))
        if held.count >= capacity { held = [:] }
        held[record.id] = target
        return target
    }
}
