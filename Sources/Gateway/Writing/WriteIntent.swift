import Catalog
import Conventions
import Crypto
import HTTPTypes

/// What the headers of a write say about how it is to be done, and the identity of the command it becomes.
struct WriteIntent: Sendable {
    let caller: Caller
    /// The command's id: the same for the same caller and `Idempotency-Key`, random without one.
    let commandID: String
    /// Whether the client may send this again under the same id.
    let hasKey: Bool
    let fingerprint: String
    /// The same by the ring's other keys; nil without any.
    let otherFingerprints: [String]?
    /// `Prefer: respond-async` (RFC 7240): do not wait for the outcome.
    var respondsAsync: Bool

    /// Throws 400 `invalid_idempotency_key`.
    init(_ call: RouteCall, body: [UInt8] = [], keyRing: KeyRing?) throws(HTTPFailure) {
        let request = call.request
        caller = call.caller
        let key = try Self.idempotencyKey(request.headers)
        let name = call.caller.name
        hasKey = key != nil
        commandID = key.map { SHA256.hash(data: Array("\(name)\n\($0)".utf8)).hexadecimal } ?? Self.randomID()
        // The decoded path: a repeat may spell it another way.
        let identity = Array("\(request.method.rawValue)\n\(call.match.path)\n".utf8) + body
        // Without a key ring no body holds a secret (api_key is refused), so a plain hash gives nothing away.
        let fingerprints = keyRing?.fingerprints(identity) ?? [SHA256.hash(data: identity).hexadecimal]
        fingerprint = fingerprints[0]
        otherFingerprints = fingerprints.count > 1 ? Array(fingerprints.dropFirst()) : nil
        respondsAsync = Self.respondsAsync(request.headers)
    }

    static func respondsAsync(_ headers: RequestHeaders) -> Bool {
        headers[.prefer]?.split(separator: ",")
            .contains { $0.lowercased().filter { $0 != " " && $0 != "\t" } == "respond-async" } ?? false
    }

    /// nil without one. Throws 400 `invalid_idempotency_key`.
    @discardableResult
    static func idempotencyKey(_ headers: RequestHeaders) throws(HTTPFailure) -> String? {
        guard let key = headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .badRequest("invalid_idempotency_key", "Idempotency-Key must be 1 to 255 visible ASCII characters.")
        }
        return key
    }

    /// 128 random bits in hex.
    static func randomID() -> String {
        (0..<16).map { _ in UInt8.random(in: .min ... .max) }.hexadecimal
    }

    /// The id of the endpoint that this command makes: derived from the command's, so that a repeat makes (and seals
    /// for) the same one. A UUID of version 8 (RFC 9562, 5.8).
    var endpointID: String { recordID("endpoint") }

    /// The id of the API key that this command makes, in the same way.
    var keyID: String { recordID("key") }

    private func recordID(_ kind: String) -> String {
        var bytes = Array(SHA256.hash(data: Array("\(kind)\n\(commandID)".utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        let hex = bytes.hexadecimal
        let cuts = [0, 8, 12, 16, 20, 32]
        return zip(cuts, cuts.dropFirst()).map { String(hex.dropFirst($0).prefix($1 - $0)) }.joined(separator: "-")
    }
}
