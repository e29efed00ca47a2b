/// The other names under which endpoints take requests for their models, kept up to date endpoint by endpoint.
struct AliasIndex: Sendable {
    /// An endpoint that takes requests for `model` under the alias.
    struct Holder: Sendable {
        let member: Int32
        /// Of the endpoint.
        let name: String
        let model: ModelID
    }

    /// By alias; the endpoints of one in the order of their names.
    private var holders: [ModelID: [Holder]] = [:]
    /// The aliases of each model, one for each endpoint that has it.
    private var aliases: [ModelID: [ModelID]] = [:]
    private var built: HeldAliases?

    mutating func held() -> HeldAliases {
        if let built { return built }
        let new = holders.isEmpty ? HeldAliases.nothing : HeldAliases(holders, aliases)
        built = new
        return new
    }

    mutating func add(_ alias: ModelID, _ holder: Holder) {
        built = nil
        aliases[holder.model, default: []].append(alias)
        let place = (holders[alias] ?? []).firstIndex(inOrder: { held in
            ByteOrder.precedes(holder.name, held.name)
                || ByteOrder.same(held.name, holder.name) && held.member > holder.member
        })
        holders[alias, default: []].insert(holder, at: place)
    }

    mutating func remove(_ alias: ModelID, of model: ModelID, from member: Int32) {
        built = nil
        holders[alias]?.removeAll { $0.member == member && $0.model == model }
        if holders[alias]?.isEmpty == true { holders[alias] = nil }
        if let place = aliases[model]?.firstIndex(of: alias) { aliases[model]?.remove(at: place) }
        if aliases[model]?.isEmpty == true { aliases[model] = nil }
    }
}

/// The other names of all models at one moment.
final class HeldAliases: Sendable {
    static let nothing = HeldAliases([:], [:])

    private let holders: [ModelID: [AliasIndex.Holder]]
    private let aliases: [ModelID: [ModelID]]

    init(_ holders: [ModelID: [AliasIndex.Holder]], _ aliases: [ModelID: [ModelID]]) {
        self.holders = holders
        self.aliases = aliases
    }

    /// The endpoints that take requests under `alias`, in the order of their names.
    func holders(of alias: String) -> [AliasIndex.Holder] {
        holders.isEmpty ? [] : holders[ModelID(alias)] ?? []
    }

    /// May have a name several times.
    func aliases(of model: ModelID) -> [ModelID] { aliases.isEmpty ? [] : aliases[model] ?? [] }
}
