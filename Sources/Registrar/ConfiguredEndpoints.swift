import Catalog

/// The endpoints named by `ROLLCALL_ENDPOINTS`.
struct ConfiguredEndpoints: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        var name: String
        /// Normalised.
        var baseURL: String
    }

    /// In the order given; names and URLs are unique.
    let entries: [Entry]

    static let allowed =
        "name=url pairs with commas between them, for example gpu-a=http://10.0.0.5:8000,ollama=http://localhost:11434"

    /// Parses `name=url,name=url…`; spaces around the parts do not count, nor does an empty part.
    ///
    /// A comma within a URL is not possible; neither is one that holds a user and password.
    /// - Throws: `ConfiguredEndpointsError` that says which part is wrong and why.
    init(_ text: String) throws(ConfiguredEndpointsError) {
        var entries: [Entry] = []
        for part in text.split(separator: ",") {
            let part = part.trimmed
            if part.isEmpty { continue }
            let entry = try Self.entry(part)
            if entries.contains(where: { $0.name == entry.name }) {
                throw ConfiguredEndpointsError(reason: "the name \(entry.name) is given twice")
            }
            if let other = entries.first(where: { $0.baseURL == entry.baseURL }) {
                throw ConfiguredEndpointsError(reason: "\(other.name) and \(entry.name) have the same URL")
            }
            entries.append(entry)
        }
        self.entries = entries
    }

    private static func entry(_ part: Substring) throws(ConfiguredEndpointsError) -> Entry {
        guard let equals = part.firstIndex(of: "=") else {
            throw ConfiguredEndpointsError(reason: "an entry has no name (name=url)")
        }
        let name = String(part[..<equals].trimmed)
        do {
            try EndpointRules.checkName(name)
            let url = String(part[part.index(after: equals)...].trimmed)
            return Entry(name: name, baseURL: try EndpointRules.normalizedBaseURL(url))
        } catch {
            throw ConfiguredEndpointsError(reason: "the entry \(name.debugDescription): \(error.message)")
        }
    }
}

/// Why a `ROLLCALL_ENDPOINTS` cannot be used.
struct ConfiguredEndpointsError: Error, Hashable, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}

extension Substring {
    /// Without ASCII spaces at either end.
    fileprivate var trimmed: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
