import Catalog
import Crypto

extension ModelEntry {
    /// What tells two lists of models apart, whatever their order: SHA-256 over the fields that mean something, as
    /// 32 hex digits. `firstSeen` is left out; it is ours, not the endpoint's.
    static func digest(of models: [ModelEntry]) -> String {
        var hash = SHA256()
        for model in models.sorted(by: { $0.id < $1.id }) {
            let fields: [String?] = [
                model.id.value, model.ownedBy, model.contextLength.map { String($0) }, model.quantization,
                model.parameterCount.map { String($0) }, model.architecture, model.loaded.map { $0 ? "1" : "0" },
                model.contentDigest, model.sizeBytes.map { String($0) },
            ]
            for field in fields {
                // A length before each field, so that no two lists of fields run together alike.
                let bytes = Array((field ?? "").utf8)
                hash.update(data: Array("\(field == nil ? -1 : bytes.count):".utf8))
                hash.update(data: bytes)
            }
        }
        return hash.finalize().prefix(16).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 2 ? digits : "0" + digits
        }.joined()
    }
}
