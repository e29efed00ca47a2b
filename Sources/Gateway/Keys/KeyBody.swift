import Catalog
import Conventions
import Crypto
import FoundationEssentials
import HTTPTypes
import JSON

/// The body of `POST /v0/keys`, checked for form.
struct KeyBody: Decodable {
    let name: String
    /// Sorted.
    let scopes: [Scope]
    let models: [String]?
    /// Seconds since 1970; not yet held against the clock.
    let expiresAt: Int64?

    init(from decoder: any Decoder) throws {
        let reader = try FieldReader(decoder, fields: ["name", "scopes", "models", "expires_at"])
        name = try reader.required("name", String.self, "a string")
        scopes = try reader.required("scopes", [String].self, "an array of strings").map(Self.scope).sorted()
        models = try reader.field("models", [String].self, "an array of strings").optional
        expiresAt = try reader.field("expires_at", String.self, "a string").optional.map(Self.seconds)
        do {
            try KeyRules.check(name: name, scopes: scopes, models: models)
        } catch {
            throw HTTPFailure(status: .badRequest, error: error)
        }
    }

    private static func scope(_ text: String) throws(HTTPFailure) -> Scope {
        guard let scope = Scope(known: text) else {
            let scopes = Scope.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("invalid_scopes", "Each scope must be one of \(scopes).", param: "scopes")
        }
        return scope
    }

    /// RFC 3339. An offset is honoured. A fraction of a second is accepted and dropped, so a key never lives longer than
    /// asked.
    private static func seconds(_ text: String) throws(HTTPFailure) -> Int64 {
        let malformed = invalidExpiry("expires_at must be a time as in 2027-01-31T12:00:00Z.")
        // The parser below ignores what it does not understand at the end, so the form is checked here.
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        let form = text.utf8.map { isDigit($0) ? UInt8(ascii: "0") : $0 }
        var zone = form.dropFirst(19)
        if zone.first == UInt8(ascii: ".") {
            let fraction = zone.dropFirst().prefix(while: isDigit)
            guard !fraction.isEmpty else { throw malformed }
            zone = zone.dropFirst(1 + fraction.count)
        }
        guard form.starts(with: "0000-00-00T00:00:00".utf8),
            ["Z", "+00:00", "-00:00"].contains(where: { $0.utf8.elementsEqual(zone) })
        else { throw malformed }
        do {
            let time = String(text.prefix(19))
            let style = Date.ISO8601FormatStyle()
            // The parser takes the 31st of February for a day in March, and formats it as that.
            if try style.parse(time + "Z").formatted(style) == time + "Z" {
                return Int64(try style.parse(time + text.suffix(zone.count)).timeIntervalSince1970)
            }
        } catch {
            // There is no such month or offset.
        }
        throw malformed
    }

    static func invalidExpiry(_ message: String) -> HTTPFailure {
        .badRequest("invalid_expires_at", message, param: "expires_at")
    }
}

/// An API key as clients see it: never its digest, and the key itself only in the answer that made it.
struct KeyAnswer {
    let record: KeyRecord
    var key: String?
    var isEnforced: Bool?

    func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("created_at", Timestamp.text(seconds: record.createdAt))
            if let isEnforced { writer.field("enforced", isEnforced) }
            writer.field("expires_at", record.expiresAt.map(Timestamp.text(seconds:)))
            writer.field("id", record.id)
            writer.fieldIfKnown("key", key)
            writer.field("models", texts: record.models)
            writer.field("name", record.name)
            writer.field("scopes", texts: record.scopes.map(\.rawValue))
        }
        return writer.bytes
    }
}

/// A new API key. Only the answer to whoever asked for it may ever hold its text.
struct SecretKey: Sendable {
    /// `rc_` and 43 characters of base64url (RFC 4648, 5) without padding.
    let text: String
    /// What all others hold: the SHA-256 of the text, in hex.
    let digest: String

    /// Of 256 bits of the system's random generator, which is cryptographically secure.
    init() {
        var generator = SystemRandomNumberGenerator()
        let words = (0..<4).map { _ in generator.next() }
        let bytes = words.flatMap { word in withUnsafeBytes(of: word) { Array($0) } }
        let base64 = Data(bytes).base64EncodedString()
        let encoded = base64.compactMap { character -> Character? in
            switch character {
            case "+": "-"
            case "/": "_"
            case "=": nil
            default: character
            }
        }
        text = KeyRules.prefix + String(encoded)
        digest = SHA256.hash(data: Array(text.utf8)).hexadecimal
    }
}
