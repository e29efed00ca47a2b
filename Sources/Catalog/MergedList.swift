import JSON

/// The models of all endpoints, indexed by model and kept up to date endpoint by endpoint.
///
/// A line is encoded again only when something that it is made of changed; the whole is put together only when it is
/// asked for after a change.
struct MergedList: Sendable {
    /// What one endpoint brings in.
    struct Contribution: Sendable {
        var name: String
        var encodedName: [UInt8]
        /// Online or degraded. The models of the others count for `created` only.
        var isUsable: Bool
        var models: HeldModels
    }

    /// One endpoint's entry for a model: the endpoint's number and the place in its list.
    struct Holder: Sendable {
        var member: Int32
        var position: Int32
    }

    struct Line: Sendable {
        var id: ModelID
        /// Sorted by the endpoints' names.
        var holders: [Holder] = []
        /// As it was when the line was last not stale; nil before that.
        var listed: ListedModel?
        var isStale = false
    }

    private(set) var contributions: [Contribution?] = []
    private(set) var lines: [Line] = []
    private var lineOfID: [ModelID: Int] = [:]
    private var freeLines: [Int] = []
    /// Lines sorted by id. Those of `unordered` are not yet in it; those that lost all holders are still in it.
    private var order = LineOrder()
    /// The same lines, sorted by the last part of their ids.
    private var nameOrder = LineOrder()
    private var unordered: [Int] = []
    private var stale: [Int] = []
    private var vanished = 0
    /// The lines as they were last asked for.
    private var listed = ListedModels.none
    /// `listed` is no longer what the lines are.
    private var isListedBehind = false
    private var built: (models: ListedModels, list: ModelList)?
    private(set) var registered = RegistrationIndex()
    private var aliases = AliasIndex()

    /// The object of an endpoint that says the same of the model, otherwise a new one. Of each id there is one text in
    /// memory, and the two endpoints that are looked at stand for all: they are of one kind nearly always.
    func shared(_ entry: ModelEntry) -> SharedModel {
        guard let line = lineOfID[entry.id] else { return SharedModel(entry) }
        let holders = lines[line].holders
        for holder in [holders.first, holders.last].compactMap(\.self) {
            let model = contributions[Int(holder.member)]?.models.models[Int(holder.position)]
            if let model, model.says(entry) { return model }
        }
        var entry = entry
        entry.id = lines[line].id
        return SharedModel(entry)
    }

    /// Endpoint `member` brings in `models` from now on, or nothing where that is nil.
    ///
    /// Returns whether anything that the list is made of changed.
    mutating func replace(_ member: Int, name: String, isUsable: Bool, models: HeldModels?) -> Bool {
        while contributions.count <= member { contributions.append(nil) }
        guard let old = contributions[member] else {
            guard let models else { return false }
            add(member, name: name, isUsable: isUsable, models: models)
            for model in models.models { markStale(model.entry.id) }
            return !models.models.isEmpty
        }
        if let models, models === old.models, ByteOrder.same(name, old.name) {
            guard isUsable != old.isUsable else { return false }
            contributions[member]?.isUsable = isUsable
            for model in models.models { markStale(model.entry.id) }
            return !models.models.isEmpty
        }
        remove(member, old)
        if let models { add(member, name: name, isUsable: isUsable, models: models) }
        return markDifferences(from: old, to: contributions[member])
    }

    /// The other names of the models. The same object as the last time if none changed.
    mutating func heldAliases() -> HeldAliases { aliases.held() }

    /// Encodes stale lines until `isOver`, or all of them. Returns whether none is left.
    mutating func encodeStaleLines(until isOver: () -> Bool = { false }) -> Bool {
        while let line = stale.popLast() {
            encodeAgain(line)
            if isOver() { return stale.isEmpty }
        }
        return true
    }

    /// All lines. The same object as the last time if no line changed.
    mutating func listedModels() -> ListedModels {
        compact()
        _ = encodeStaleLines()
        if isListedBehind {
            listed = ListedModels(
                order.lines.compactMap { lines[$0].listed }, byName: nameOrder.lines.compactMap { lines[$0].listed })
            isListedBehind = false
        }
        return listed
    }

    /// The list in whole.
    mutating func list() -> ModelList {
        let models = listedModels()
        if let built, built.models === models { return built.list }
        let list = VisibleModels(models).list()
        built = (models, list)
        return list
    }

    /// Only the models that `patterns` match, made anew with each call.
    mutating func list(of patterns: ModelPatterns) -> ModelListPart {
        let listed = listedModels()
        return ModelListPart(models: VisibleModels(listed).matching { patterns.match($0.id) })
    }

    /// The line of one model as in the list; nil where it is not in it.
    func entry(_ id: ModelID) -> [UInt8]? {
        guard let line = lineOfID[id] else { return nil }
        let bytes = lines[line].isStale ? encode(line).bytes : lines[line].listed?.encoded ?? []
        return bytes.isEmpty ? nil : bytes
    }

    /// The registration `name` is known by `names` from now on, or gone where that is nil.
    ///
    /// Returns whether anything that the list is made of changed.
    mutating func register(_ name: String, _ names: RegistrationNames?) -> Bool {
        let old = registered.names[name]
        guard old != names else { return false }
        if registered.isEmpty {
            for (id, line) in lineOfID { registered.add(line: line, id) }
        }
        registered.replace(name, with: names)
        let affected = [old, names].compactMap(\.self).map { registered.lines(of: $0) }
        for line in affected.joined() { markStale(lines[line].id) }
        if registered.isEmpty { registered = RegistrationIndex() }
        return affected.contains { !$0.isEmpty }
    }

    /// The usable endpoints that list a model of the registration, and the id under which each does.
    func holders(of registration: String) -> [(member: Int, model: ModelID)] {
        guard let names = registered.names[registration] else { return [] }
        return registered.lines(of: names).flatMap { line in
            lines[line].holders.compactMap { holder in
                guard contributions[Int(holder.member)]?.isUsable == true else { return nil }
                return (Int(holder.member), lines[line].id)
            }
        }
    }

    /// The models that the registration's names match: the best match first, then by id. Call after `listedModels()`.
    func models(of registration: String) -> [ListedModel] {
        guard let names = registered.names[registration] else { return [] }
        let models = registered.lines(of: names).compactMap { lines[$0].listed }
        let ranked = models.map { (rank: names.rank(of: FoldedID($0.id)) ?? .max, model: $0) }
        return ranked.sorted { left, right in
            left.rank == right.rank ? left.model.id < right.model.id : left.rank < right.rank
        }.map(\.model)
    }

    mutating func touchRegistration(_ name: String) { registered.touch(name) }

    mutating func touchRegistrations() { registered.touchAll() }

    /// What shows of endpoint `member` beside its lines has changed.
    mutating func touchRegistrations(of member: Int) {
        guard !registered.isEmpty, member < contributions.count, let models = contributions[member]?.models else {
            return
        }
        for model in models.models { registered.touch(ownersOf: model.entry.id) }
    }

    private mutating func add(_ member: Int, name: String, isUsable: Bool, models: HeldModels) {
        contributions[member] = Contribution(
            name: name, encodedName: JSONString.encode(name), isUsable: isUsable, models: models)
        for (position, entry) in models.models.lazy.map(\.entry).enumerated() {
            let line = lineOfID[entry.id] ?? newLine(entry.id)
            let place = place(of: name, member, in: lines[line].holders)
            lines[line].holders.insert(Holder(member: Int32(member), position: Int32(position)), at: place)
            for alias in entry.aliases ?? [] {
                aliases.add(alias, AliasIndex.Holder(member: Int32(member), name: name, model: lines[line].id))
            }
        }
    }

    private mutating func remove(_ member: Int, _ old: Contribution) {
        for entry in old.models.models.lazy.map(\.entry) {
            for alias in entry.aliases ?? [] { aliases.remove(alias, of: entry.id, from: Int32(member)) }
            guard let line = lineOfID[entry.id] else { continue }
            let place = place(of: old.name, member, in: lines[line].holders)
            guard place < lines[line].holders.count, lines[line].holders[place].member == Int32(member) else {
                continue
            }
            lines[line].holders.remove(at: place)
            if lines[line].holders.isEmpty { vanished += 1 }
        }
        contributions[member] = nil
    }

    /// Where `member` of this name stands among the holders, or would stand. Two endpoints have one name only while a
    /// rename is half seen; they stand in the order of their numbers.
    private func place(of name: String, _ member: Int, in holders: [Holder]) -> Int {
        func isBefore(_ holder: Holder) -> Bool {
            let other = contributions[Int(holder.member)]?.name ?? ""
            return ByteOrder.precedes(other, name)
                || holder.member < Int32(member) && ByteOrder.same(other, name)
        }
        // A catalog that is made from an image adds the endpoints in the order of their names.
        if let last = holders.last, isBefore(last) { return holders.count }
        var low = 0
        var high = holders.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(holders[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func newLine(_ id: ModelID) -> Int {
        let line: Int
        if let free = freeLines.popLast() {
            lines[free] = Line(id: id)
            line = free
        } else {
            lines.append(Line(id: id))
            line = lines.count - 1
        }
        lineOfID[id] = line
        if !registered.isEmpty { registered.add(line: line, id) }
        unordered.append(line)
        return line
    }

    private mutating func markStale(_ id: ModelID) {
        guard let line = lineOfID[id] else { return }
        registered.touchLines(ofOwnersOf: id)
        guard !lines[line].isStale else { return }
        lines[line].isStale = true
        stale.append(line)
    }

    private mutating func encodeAgain(_ line: Int) {
        lines[line].isStale = false
        let members = lines[line].holders.map(\.member)
        let (encoded, created) = encode(line)
        if let old = lines[line].listed, old.members == members, old.encoded == encoded { return }
        lines[line].listed = ListedModel(id: lines[line].id, members: members, encoded: encoded, created: created)
        isListedBehind = true
    }

    private mutating func markDifferences(from old: Contribution, to new: Contribution?) -> Bool {
        var changed = false
        var before: [ModelID: Int] = [:]
        for (position, model) in old.models.models.enumerated() { before[model.entry.id] = position }
        let comparable = new.map { $0.isUsable == old.isUsable && ByteOrder.same($0.name, old.name) } ?? false
        if let models = new?.models {
            for (place, model) in models.models.enumerated() {
                if let former = before.removeValue(forKey: model.entry.id), comparable,
                    models.firstSeen(at: place) == old.models.firstSeen(at: former),
                    model === old.models.models[former] || model.entry.isListedLike(old.models.models[former].entry)
                {
                    continue
                }
                markStale(model.entry.id)
                changed = true
            }
        }
        for id in before.keys { markStale(id) }
        let result = changed || !before.isEmpty
        // Whoever never asks for the list must not keep every id that there ever was.
        if vanished > 1024, vanished > lines.count / 4 { compact() }
        return result
    }

    /// Frees the lines that have no holder any more, and puts the new ones in their places.
    private mutating func compact() {
        guard vanished > 0 || !unordered.isEmpty else { return }
        let gone = vanished > 0 ? Set((order.lines + unordered).filter { lines[$0].holders.isEmpty }) : []
        if !gone.isEmpty {
            order.remove(gone)
            nameOrder.remove(gone)
            unordered.removeAll { gone.contains($0) }
            stale.removeAll { gone.contains($0) }
            for line in gone {
                lineOfID[lines[line].id] = nil
                if !registered.isEmpty { registered.remove(line: line, lines[line].id) }
                lines[line] = Line(id: ModelID(""))
                freeLines.append(line)
            }
        }
        vanished = 0
        if gone.isEmpty, unordered.isEmpty { return }
        isListedBehind = true
        order.insert(unordered) { lines[$0].id < lines[$1].id }
        nameOrder.insert(unordered) { ModelName.compare(lines[$0].id, lines[$1].id) < 0 }
        unordered = []
    }
}

extension ModelEntry {
    /// Makes the same line of the list, if it was first seen at the same time.
    fileprivate func isListedLike(_ other: ModelEntry) -> Bool {
        contextLength == other.contextLength
            && contextLengthMax == other.contextLengthMax && capabilities == other.capabilities
            && aliases == other.aliases && ByteOrder.same(ownedBy, other.ownedBy)
    }
}
