import Catalog

/// Opens endpoints' API keys.
struct EndpointKeys: Sendable {
    /// nil where no secret key is configured.
    let keyRing: KeyRing?

    /// nil for an endpoint without a key. Throws `keyUnreadable`.
    func key(of endpoint: EndpointRecord) throws(PollError) -> String? {
        guard let sealed = endpoint.sealedAPIKey else { return nil }
        guard let keyRing else {
            throw PollError(.keyUnreadable, "the endpoint has an API key, but this poller has no ROLLCALL_SECRET_KEY")
        }
        do {
            return try keyRing.unseal(sealed, for: endpoint.id)
        } catch {
            throw PollError(.keyUnreadable, "none of this poller's secret keys opens the endpoint's API key")
        }
    }
}
