/// Skeleton. Secrets sealed with AES-GCM (swift-crypto) so that no key crosses the broker or is stored in clear.
///
/// A sealed value is `v1.<key id>.<base64 of nonce, ciphertext, tag>`; the key id is the first 8 hex digits of the
/// SHA-256 of the key; the associated data is the endpoint's id.
public struct KeyRing: Sendable {
    /// `text`: one or more 32-byte keys in base64, separated by commas; the first seals, all unseal.
    public init(_ text: String) throws(KeyRingError) { fatalError() }
    public func seal(_ secret: String, for endpoint: String) throws(KeyRingError) -> String { fatalError() }
    public func unseal(_ sealed: String, for endpoint: String) throws(KeyRingError) -> String { fatalError() }
    /// HMAC-SHA256 in hex, with a key derived from the first key.
    public func fingerprint(_ bytes: some Sequence<UInt8>) -> String { fatalError() }
}

public struct KeyRingError: Error, Sendable, CustomStringConvertible {
    public let description: String
}
