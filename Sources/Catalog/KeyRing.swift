import Conventions
import Crypto
import FoundationEssentials

/// Seals endpoints' API keys with AES-256-GCM, so that none crosses the broker or is stored in clear.
///
/// A sealed value is `v1.<key id>.<base64 of nonce, ciphertext, tag>`; the key id is the first 8 hex digits of the
/// SHA-256 of the key; the associated data is the endpoint's id, so that a sealed key opens for its endpoint only.
public struct KeyRing: Sendable, CustomStringConvertible {
    private struct Key: Sendable {
        let id: String
        let key: SymmetricKey
    }

    private let keys: [Key]
    /// Derived from the keys, the last one first. A new key is put before the others, so it changes no first fingerprint.
    private let fingerprintKeys: [SymmetricKey]

    /// `text`: one or more 32-byte keys in base64, separated by commas; the first seals, all unseal.
    ///
    /// Throws where there is none, or one is not base64 of 32 bytes; the error names its place, never its text.
    public init(_ text: String) throws(KeyRingError) {
        var keys: [Key] = []
        for (index, part) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            let trimmed = part.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
            guard let bytes = Data(base64Encoded: String(trimmed)) else {
                throw KeyRingError("key \(index + 1) is not base64")
            }
            guard bytes.count == 32 else {
                throw KeyRingError("key \(index + 1) has \(bytes.count) bytes, not 32")
            }
            let id = String(SHA256.hash(data: bytes).hexadecimal.prefix(8))
            keys.append(Key(id: id, key: SymmetricKey(data: bytes)))
        }
        self.keys = keys
        fingerprintKeys = keys.reversed().map { key in
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: key.key, info: Data("rollcall fingerprint v1".utf8), outputByteCount: 32)
        }
    }

    /// `secret` sealed with the first key, for `endpoint` (its id) only. Each call gives another text.
    public func seal(_ secret: String, for endpoint: String) throws(KeyRingError) -> String {
        do {
            let box = try AES.GCM.seal(
                Data(secret.utf8), using: keys[0].key, authenticating: Data(endpoint.utf8))
            guard let combined = box.combined else { throw KeyRingError("the secret could not be sealed") }
            return "v1.\(keys[0].id).\(combined.base64EncodedString())"
        } catch {
            throw KeyRingError("the secret could not be sealed")
        }
    }

    /// The secret. Throws where `sealed` is not in the form, was sealed with a key not on this ring or for another
    /// endpoint, or was altered.
    public func unseal(_ sealed: String, for endpoint: String) throws(KeyRingError) -> String {
        let parts = sealed.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "v1", let combined = Data(base64Encoded: String(parts[2])) else {
            throw KeyRingError("not a sealed key of a form that this version knows")
        }
        let candidates = keys.filter { $0.id == parts[1] }
        guard !candidates.isEmpty else {
            throw KeyRingError("sealed with a key that is not configured here")
        }
        for candidate in candidates {
            do {
                let box = try AES.GCM.SealedBox(combined: combined)
                let bytes = try AES.GCM.open(box, using: candidate.key, authenticating: Data(endpoint.utf8))
                guard let secret = String(validating: bytes, as: UTF8.self) else { continue }
                return secret
            } catch {
                // Not this key, or not this endpoint; said once, below, for all candidates.
                continue
            }
        }
        throw KeyRingError("sealed for another endpoint, or altered")
    }

    /// HMAC-SHA256 in hex, one by each key (HKDF), so that they tell nothing without it.
    ///
    /// All of them, because gateways are given new keys one after another: the fingerprints of two gateways have one in
    /// common as long as the gateways have a key in common.
    public func fingerprints(_ bytes: some Sequence<UInt8>) -> [String] {
        let bytes = Array(bytes)
        return fingerprintKeys.map { HMAC<SHA256>.authenticationCode(for: bytes, using: $0).hexadecimal }
    }

    public var description: String { "KeyRing(\(keys.map(\.id).joined(separator: ", ")))" }
}

/// What is wrong with a key or a sealed value; never holds either.
public struct KeyRingError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
