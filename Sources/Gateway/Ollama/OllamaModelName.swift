import Catalog

/// A model's name as Ollama's clients write it (Ollama, docs/api.md, "Model names").
enum OllamaModelName {
    /// The tag that a name without one means.
    static let latest = ":latest"

    /// `name` may begin with a registry's host and port: a tag stands behind the last slash.
    static func hasTag(_ name: String) -> Bool {
        name.utf8.reversed().prefix { $0 != UInt8(ascii: "/") }.contains(UInt8(ascii: ":"))
    }

    /// The name under which `caller` may use the model: as it is, or with the tag that it means. nil if neither is allowed.
    static func usable(_ name: String, by caller: Caller, in view: CatalogView) -> String? {
        if let name = caller.usableName(name, in: view) { return name }
        guard !hasTag(name), caller.allows(model: ModelID(name + latest)) else { return nil }
        return name + latest
    }
}

extension InferencePath {
    /// The name under which `caller` may use a model that a request calls `name`; nil if the caller may not.
    func usableName(_ name: String, by caller: Caller, in view: @autoclosure () -> CatalogView) -> String? {
        if dialect == .ollama { return OllamaModelName.usable(name, by: caller, in: view()) }
        return caller.usableName(name, in: view())
    }
}
