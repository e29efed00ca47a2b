import Catalog

/// An endpoint's record, made ready for requests to be sent to it.
struct UpstreamTarget: Sendable {
    let address: EndpointAddress
    /// The value of `Host`.
    let authority: String
    /// The value of `Authorization`: the endpoint's own key. nil if it has none.
    let authorization: String?
}

/// The endpoints of one event loop, made ready once for each change of a record: unsealing a key and taking a URL apart
/// cost more than a request may.
final class UpstreamTargets {
    /// An endpoint cannot be used by this gateway, whatever it says of itself.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    private let keyRing: KeyRing?
    private var held: [String: (revision: Int64, target: UpstreamTarget)] = [:]
    /// Endpoints come and go; what is forgotten is made again.
    private let capacity = 50_000

    /// - Parameter keyRing: nil if ROLLCALL_SECRET_KEY is not set: endpoints that need a key cannot be used then
    init(keyRing: KeyRing?) { self.keyRing = keyRing }

    func target(of endpoint: EndpointRecord) throws -> UpstreamTarget {
        if let held = held[endpoint.id], held.revision == endpoint.revision { return held.target }
        guard let address = EndpointAddress(baseURL: endpoint.baseURL) else {
            throw Unusable(description: "its base URL cannot be read")
        }
        let key = try endpoint.sealedAPIKey.map { sealed in
            guard let keyRing else { throw Unusable(description: "ROLLCALL_SECRET_KEY is not set") }
            return try keyRing.unseal(sealed, for: endpoint.id)
        }
        let target = UpstreamTarget(
            address: address, authority: address.origin.authority, authorization: key.map { "Bearer \($0)" })
        if held.count >= capacity { held = [:] }
        held[endpoint.id] = (endpoint.revision, target)
        return target
    }
}
