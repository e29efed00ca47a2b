import Catalog
import Crypto
import FoundationEssentials

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
        digest = Hex.text(of: SHA256.hash(data: Array(text.utf8)))
    }
}
