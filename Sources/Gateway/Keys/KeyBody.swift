import Catalog
import FoundationEssentials
import Hummingbird

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
        guard let scope = Scope(rawValue: text) else {
            let scopes = Scope.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("invalid_scopes", "A scope is one of \(scopes).", param: "scopes")
        }
        return scope
    }

    /// RFC 3339, as in the answers; with an offset or a fraction as well, which is dropped: rather a moment too early.
    private static func seconds(_ text: String) throws(HTTPFailure) -> Int64 {
        let malformed = invalidExpiry("expires_at must be a time as in 2027-01-31T12:00:00Z.")
        // The parser below reads as far as it understands, so that the form is for us to check.
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
            // The 31st of February is read as a day in March, and comes back as that.
            if try style.parse(time + "Z").formatted(style) == time + "Z" {
                return Int64(try style.parse(time + text.suffix(zone.count)).timeIntervalSince1970)
            }
        } catch {
            // A month, or an offset, that there is not.
        }
        throw malformed
    }

    static func invalidExpiry(_ message: String) -> HTTPFailure {
        .badRequest("invalid_expires_at", message, param: "expires_at")
    }
}
