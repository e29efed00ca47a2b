import Catalog
import Conventions
import Crypto

extension ModelEntry {
    /// What tells two lists of models apart, whatever their order: SHA-256 over the fields that mean something, as
    /// 32 hex digits. `firstSeen` is left out; it is ours, not the endpoint's.
    static func digest(of models: [ModelEntry]) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(models.count * 96)
        for model in models.sorted(by: { $0.id < $1.id }) {
            append(model.id.value, to: &bytes)
            append(model.ownedBy, to: &bytes)
            append(model.contextLength.map { String($0) }, to: &bytes)
            append(model.quantization, to: &bytes)
            append(model.parameterCount.map { String($0) }, to: &bytes)
            append(model.architecture, to: &bytes)
            append(model.loaded.map { $0 ? "1" : "0" }, to: &bytes)
            append(model.contentDigest, to: &bytes)
            append(model.sizeBytes.map { String($0) }, to: &bytes)
            model.appendLaterFields(to: &bytes)
        }
        return SHA256.hash(data: bytes).prefix(16).hexadecimal
    }

    /// Fields that the release before did not know: a list without them has the digest that its pollers give it.
    private func appendLaterFields(to bytes: inout [UInt8]) {
        guard capabilities != nil || contextLengthMax != nil || parent != nil || aliases != nil else { return }
        bytes.append(UInt8(ascii: "+"))
        Self.append(capabilities.map { String($0.rawValue) }, to: &bytes)
        Self.append(contextLengthMax.map { String($0) }, to: &bytes)
        Self.append(parent, to: &bytes)
        Self.append(aliases.map { String($0.count) }, to: &bytes)
        for alias in aliases ?? [] { Self.append(alias.value, to: &bytes) }
    }

    /// A length before each field, so that no two lists of fields run together alike; -1 for none.
    private static func append(_ field: String?, to bytes: inout [UInt8]) {
        guard let field else { return bytes.append(contentsOf: "-1:".utf8) }
        bytes.append(contentsOf: String(field.utf8.count).utf8)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(contentsOf: field.utf8)
    }
}
