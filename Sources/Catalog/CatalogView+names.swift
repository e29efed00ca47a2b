/// A model's other names: its aliases, and `name` for `name:latest` of an Ollama.
extension CatalogView {
    /// A name that `patterns` match for the model that is asked for as `name`; nil if there is none.
    ///
    /// The patterns match the name that is returned. That name may lead to another model later, but a key never runs a model
    /// under a name that its patterns do not match.
    public func name(_ name: String, allowedBy patterns: ModelPatterns) -> String? {
        if patterns.match(ModelID(name)) { return name }
        if models.find(name) != nil { return otherNames(of: ModelID(name)).first(where: patterns.match)?.value }
        let implied = Set(impliedHolders(name).map(\.model))
        guard implied.count == 1, let id = implied.first, patterns.match(id) else { return nil }
        return id.value
    }

    /// The names that lead to the model `id` and to no other.
    func otherNames(of id: ModelID) -> [ModelID] {
        var names = aliases.aliases(of: id)
        if id.value.hasSuffix(Self.latestTag) { names.append(ModelID(String(id.value.dropLast(Self.latestTag.count)))) }
        return names.filter { name in
            guard models.find(name.value) == nil else { return false }
            let holders = impliedHolders(name.value)
            return !holders.isEmpty && holders.allSatisfy { $0.model == id }
        }
    }

    private static var latestTag: String { latest.description }
}
