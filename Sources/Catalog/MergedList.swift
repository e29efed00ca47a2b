import Crypto

/// `/v1/models`, encoded.
public struct ModelList: Sendable, Hashable {
    public var bytes: [UInt8]
    /// Strong, quoted, from the bytes alone: the first 32 hex digits of their SHA-256.
    public var etag: String

    init(bytes: [UInt8]) {
        self.bytes = bytes
        let digest = SHA256.hash(data: bytes).prefix(16)
        etag = "\"" + digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined() + "\""
    }
}

/// The part of a list that some callers see.
public struct ModelListPart: Sendable, Hashable {
    /// ETag of the whole list that it is a part of.
    public var whole: String
    public var list: ModelList
}

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
        /// Empty where no usable endpoint has the model.
        var encoded: [UInt8] = []
        var isStale = false
    }

    private var contributions: [Contribution?] = []
    private var lines: [Line] = []
    private var lineOfID: [ModelID: Int] = [:]
    private var freeLines: [Int] = []
    /// Lines sorted by id. Those of `unordered` are not yet in it; those that lost all holders are still in it.
    private var order: [Int] = []
    private var unordered: [Int] = []
    private var stale: [Int] = []
    private var vanished = 0
    private var built: ModelList?
    private(set) var registered = RegistrationIndex()

    /// The one copy of an id's text, where the id is known.
    func interned(_ id: ModelID) -> ModelID? { lineOfID[id].map { lines[$0].id } }

    /// Endpoint `member` brings in `models` from now on, or nothing where that is nil.
    ///
    /// Returns whether anything that the list is made of changed.
    mutating func replace(_ member: Int, name: String, isUsable: Bool, models: HeldModels?) -> Bool {
        while contributions.count <= member { contributions.append(nil) }
        guard let old = contributions[member] else {
            guard let models else { return false }
            add(member, name: name, isUsable: isUsable, models: models)
            for entry in models.entries { markStale(entry.id) }
            return !models.entries.isEmpty
        }
        if let models, models === old.models, ByteOrder.same(name, old.name) {
            guard isUsable != old.isUsable else { return false }
            contributions[member]?.isUsable = isUsable
            for entry in models.entries { markStale(entry.id) }
            return !models.entries.isEmpty
        }
        remove(member, old)
        if let models { add(member, name: name, isUsable: isUsable, models: models) }
        return markDifferences(from: old, to: contributions[member])
    }

    /// The list in whole.
    mutating func list() -> ModelList {
        if let built { return built }
        compact()
        for line in stale {
            lines[line].encoded = encode(line)
            lines[line].isStale = false
        }
        stale = []
        let list = Self.list(of: order.map { lines[$0].encoded }.filter { !$0.isEmpty })
        built = list
        return list
    }

    /// Only the models that `patterns` match, made anew with each call.
    mutating func list(of patterns: ModelPatterns) -> ModelListPart {
        let whole = list()
        let matching = order.filter { !lines[$0].encoded.isEmpty && patterns.match(lines[$0].id) }
        return ModelListPart(whole: whole.etag, list: Self.list(of: matching.map { lines[$0].encoded }))
    }

    private static func list(of lines: [[UInt8]]) -> ModelList {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.reduce(40) { $0 + $1.count + 1 })
        JSONText.append(raw: #"{"object":"list","data":["#, to: &bytes)
        for (number, line) in lines.enumerated() {
            if number > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: line)
        }
        JSONText.append(raw: "]}", to: &bytes)
        return ModelList(bytes: bytes)
    }

    /// The line of one model as in the list; nil where it is not in it.
    func entry(_ id: ModelID) -> [UInt8]? {
        guard let line = lineOfID[id] else { return nil }
        let bytes = lines[line].isStale ? encode(line) : lines[line].encoded
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

    mutating func touchRegistration(_ name: String) { registered.touch(name) }

    mutating func touchRegistrations() { registered.touchAll() }

    /// What shows of endpoint `member` beside its lines has changed.
    mutating func touchRegistrations(of member: Int) {
        guard !registered.isEmpty, member < contributions.count, let models = contributions[member]?.models else {
            return
        }
        for entry in models.entries { registered.touch(ownersOf: entry.id) }
    }

    /// The endpoints that list `id`, also those that are not usable; in the order of their names.
    func members(listing id: ModelID) -> [Int] {
        lineOfID[id].map { lines[$0].holders.map { Int($0.member) } } ?? []
    }

    private mutating func add(_ member: Int, name: String, isUsable: Bool, models: HeldModels) {
        var encodedName: [UInt8] = []
        JSONText.append(name, to: &encodedName)
        contributions[member] = Contribution(
            name: name, encodedName: encodedName, isUsable: isUsable, models: models)
        for (position, entry) in models.entries.enumerated() {
            let line = lineOfID[entry.id] ?? newLine(entry.id)
            let place = place(of: name, in: lines[line].holders)
            lines[line].holders.insert(Holder(member: Int32(member), position: Int32(position)), at: place)
        }
    }

    private mutating func remove(_ member: Int, _ old: Contribution) {
        for entry in old.models.entries {
            guard let line = lineOfID[entry.id] else { continue }
            let start = place(of: old.name, in: lines[line].holders)
            guard let place = lines[line].holders[start...].firstIndex(where: { $0.member == Int32(member) })
            else { continue }
            lines[line].holders.remove(at: place)
            if lines[line].holders.isEmpty { vanished += 1 }
        }
        contributions[member] = nil
    }

    /// Where the first holder stands whose name is not before `name`.
    private func place(of name: String, in holders: [Holder]) -> Int {
        var low = 0
        var high = holders.count
        while low < high {
            let middle = (low + high) / 2
            let other = contributions[Int(holders[middle].member)]?.name ?? ""
            if ByteOrder.precedes(other, name) { low = middle + 1 } else { high = middle }
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
        registered.touch(ownersOf: id)
        built = nil
        guard !lines[line].isStale else { return }
        lines[line].isStale = true
        stale.append(line)
    }

    private mutating func markDifferences(from old: Contribution, to new: Contribution?) -> Bool {
        var changed = false
        var before: [ModelID: Int] = [:]
        for (position, entry) in old.models.entries.enumerated() { before[entry.id] = position }
        let comparable = new.map { $0.isUsable == old.isUsable && ByteOrder.same($0.name, old.name) } ?? false
        for entry in new?.models.entries ?? [] {
            if let position = before.removeValue(forKey: entry.id), comparable,
                entry.isListedLike(old.models.entries[position])
            {
                continue
            }
            markStale(entry.id)
            changed = true
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
        let gone = Set((order + unordered).filter { lines[$0].holders.isEmpty })
        if !gone.isEmpty {
            order.removeAll { gone.contains($0) }
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
        unordered.sort { lines[$0].id < lines[$1].id }
        var merged: [Int] = []
        merged.reserveCapacity(order.count + unordered.count)
        var next = unordered[...]
        for line in order {
            while let first = next.first, lines[first].id < lines[line].id { merged.append(next.removeFirst()) }
            merged.append(line)
        }
        order = merged + next
        unordered = []
    }

    /// The fields in the order in which clients see them; see the HTTP contract, `GET /v1/models`.
    private func encode(_ line: Int) -> [UInt8] {
        var created = Int64.max
        var owner: String?
        var ownersAgree = true
        var contextLength: Int?
        var names: [UInt8] = []
        for holder in lines[line].holders {
            guard let contribution = contributions[Int(holder.member)] else { continue }
            let entry = contribution.models.entries[Int(holder.position)]
            created = min(created, entry.firstSeen)
            guard contribution.isUsable else { continue }
            if let stated = entry.ownedBy {
                if let owner { ownersAgree = ownersAgree && ByteOrder.same(owner, stated) } else { owner = stated }
            }
            if let length = entry.contextLength { contextLength = min(contextLength ?? length, length) }
            if !names.isEmpty { names.append(UInt8(ascii: ",")) }
            names.append(contentsOf: contribution.encodedName)
        }
        guard !names.isEmpty else { return [] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(names.count + 160)
        JSONText.append(raw: #"{"id":"#, to: &bytes)
        JSONText.append(lines[line].id.value, to: &bytes)
        JSONText.append(raw: #","object":"model","created":"#, to: &bytes)
        JSONText.append(created, to: &bytes)
        JSONText.append(raw: #","owned_by":"#, to: &bytes)
        JSONText.append((ownersAgree ? owner : nil) ?? "rollcall", to: &bytes)
        if let contextLength {
            JSONText.append(raw: #","context_length":"#, to: &bytes)
            JSONText.append(Int64(contextLength), to: &bytes)
        }
        JSONText.append(raw: #","endpoints":["#, to: &bytes)
        bytes.append(contentsOf: names)
        JSONText.append(raw: "]", to: &bytes)
        if let registration = registered.registration(of: lines[line].id) {
            JSONText.append(raw: #","registration":"#, to: &bytes)
            JSONText.append(registration, to: &bytes)
        }
        JSONText.append(raw: "}", to: &bytes)
        return bytes
    }
}

extension ModelEntry {
    /// Makes the same line of the list.
    fileprivate func isListedLike(_ other: ModelEntry) -> Bool {
        firstSeen == other.firstSeen && contextLength == other.contextLength
            && ByteOrder.same(ownedBy, other.ownedBy)
    }
}
