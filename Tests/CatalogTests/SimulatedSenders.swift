import Catalog
import TestSupport

/// A made-up history: a registrar, pollers, and a repeater, each with the messages that it sends, in its order.
struct SimulatedSenders {
    var senders: [[CatalogMessage]]

    /// The registrar's database while it makes up its messages.
    private struct Registry {
        var revision: Int64 = 0
        var live: [Int: EndpointRecord] = [:]
        var models: [String: RegistrationRecord] = [:]
        var keys: [Int: KeyRecord] = [:]
        var generations: [(endpoint: Int, generation: Int64)] = []
        var messages: [CatalogMessage] = []

        var checkpoint: [CatalogMessage] {
            let entries =
                live.values.map { CheckpointEntry(kind: .endpoint, id: $0.id, revision: $0.revision) }
                + models.values.map { CheckpointEntry(kind: .registration, id: $0.name, revision: $0.revision) }
                + keys.values.map { CheckpointEntry(kind: .key, id: $0.id, revision: $0.revision) }
            return Checkpoint.parts(
                registry: Sample.registry, incarnation: 1, revision: revision, entries: entries, madeAt: 1000 + revision
            ).map { .registryCheckpoint($0) }
        }

        mutating func put(_ number: Int, name: String, isNewGeneration: Bool) {
            revision += 1
            let generation = isNewGeneration ? revision : live[number]?.generation ?? revision
            let record = Sample.record(number, name: name, generation: generation, revision: revision)
            live[number] = record
            if record.generation == revision { generations.append((number, generation)) }
            messages.append(.registryChanged(RegistryChange(record)))
        }

        mutating func register(_ repo: String, quantization: String?, isNewGeneration: Bool) {
            revision += 1
            let generation = isNewGeneration ? revision : models[repo]?.generation ?? revision
            let record = Sample.registration(
                repo, quantization: quantization, generation: generation, revision: revision)
            models[repo] = record
            messages.append(.registryChanged(RegistryChange(record)))
        }

        mutating func changeNumbers(of repo: String) {
            revision += 1
            let hub = HubInfo(downloads: revision, likes: nil, lastModified: nil, fetchedAt: 0)
            messages.append(.hubChanged(HubChange(registration: repo, revision: revision, hub: hub)))
        }

        mutating func unregister(_ repo: String) {
            revision += 1
            models[repo] = nil
            messages.append(
                .registryChanged(RegistryChange(tombstoneOf: .registration, id: repo, revision: revision)))
        }

        mutating func makeKey(_ number: Int) {
            revision += 1
            // What is stamped anew, as in a restored registry, keeps its digest.
            let record = Sample.key(number, name: "k\(number % 2)", models: ["org/*"], revision: revision)
            keys[number] = record
            messages.append(.registryChanged(RegistryChange(record)))
        }

        mutating func revokeKey(_ number: Int) {
            revision += 1
            keys[number] = nil
            messages.append(Sample.revoked(number, revision: revision))
        }

        mutating func remove(_ number: Int) {
            revision += 1
            live[number] = nil
            messages.append(Sample.removed(number, revision: revision))
        }
    }

    /// - Parameter steps: Changes that the registrar makes; each poller sends about as many batches.
    init(steps: Int, pollers: Int, using generator: inout SeededGenerator) {
        var registry = Registry()
        for step in 0..<steps {
            let number = Int.random(in: 1...6, using: &generator)
            let suffix = Int.random(in: 0...1, using: &generator) == 0 ? "" : "-\(step)"
            let repo = ["org/x", "other/x", "org/a"].randomElement(using: &generator) ?? "org/x"
            switch Int.random(in: 0..<20, using: &generator) {
            case 18..<20 where registry.models[repo] != nil: registry.changeNumbers(of: repo)
            case 14..<16: registry.makeKey(number)
            case 16..<18 where registry.keys[number] != nil: registry.revokeKey(number)
            case 10..<12: registry.register(repo, quantization: "7B", isNewGeneration: false)
            case 12: registry.register(repo, quantization: nil, isNewGeneration: true)
            case 13 where registry.models[repo] != nil: registry.unregister(repo)
            case 0..<5: registry.put(number, name: "e\(number)\(suffix)", isNewGeneration: false)
            case 5..<7: registry.put(number, name: "e\(number)\(suffix)", isNewGeneration: true)
            case 7 where registry.live[number] != nil: registry.remove(number)
            case 8: registry.messages += registry.checkpoint
            default: registry.messages.append(Self.operation(using: &generator))
            }
        }
        registry.messages += registry.checkpoint
        senders = [registry.messages]
        for poller in 0..<pollers {
            senders.append(Self.poller("p\(poller)", registry, batches: steps, using: &generator))
        }
        senders.append(Self.repeater(of: senders, using: &generator))
    }

    /// One log of them all, each sender's order kept; with `replays`, pieces of what has been come once more.
    func interleaved(replays: Int = 0, using generator: inout SeededGenerator) -> [CatalogMessage] {
        var places = senders.map { _ in 0 }
        var log: [CatalogMessage] = []
        while true {
            let left = senders.indices.filter { places[$0] < senders[$0].count }
            guard let sender = left.randomElement(using: &generator) else { break }
            log.append(senders[sender][places[sender]])
            places[sender] += 1
        }
        for _ in 0..<replays {
            let start = Int.random(in: 0..<log.count, using: &generator)
            let end = Int.random(in: start..<log.count, using: &generator)
            let place = Int.random(in: end...log.count, using: &generator)
            log.insert(contentsOf: log[start...end].prefix(20), at: min(place, log.count))
        }
        return log
    }

    private static func poller(
        _ name: String, _ registry: Registry, batches: Int, using generator: inout SeededGenerator
    ) -> [CatalogMessage] {
        var tick: Int64 = 0
        return (0..<batches).map { _ in
            let rows: [SnapshotRow] = (0..<Int.random(in: 1...3, using: &generator)).compactMap { _ in
                guard let known = registry.generations.randomElement(using: &generator) else { return nil }
                // Ticks of different pollers meet now and then, with different findings.
                tick += Int64.random(in: 1...3, using: &generator)
                return row(known.endpoint, known.generation, tick, name, using: &generator)
            }
            if let known = registry.generations.randomElement(using: &generator),
                Int.random(in: 0..<4, using: &generator) == 0
            {
                return verification(of: known, upTo: registry.revision, name, using: &generator)
            }
            return .snapshotBatch(SnapshotBatch(poller: name, rows: rows))
        }
    }

    private static func row(
        _ endpoint: Int, _ generation: Int64, _ tick: Int64, _ poller: String, using generator: inout SeededGenerator
    ) -> SnapshotRow {
        let ids = ["a", "caf\u{E9}", "cafe\u{301}", "org/x:7b", "\"quoted\"", "z"]
        let models = ids.filter { _ in Bool.random(using: &generator) }
        let states: [EndpointState] = [.online, .online, .degraded, .offline]
        let state = states.randomElement(using: &generator) ?? .online
        let isFull = Bool.random(using: &generator)
        var row = Sample.row(
            endpoint, generation: generation, tick: tick, models: isFull ? models : nil,
            digest: models.joined(separator: "+"), state: state, poller: poller)
        for place in (row.models ?? []).indices {
            row.models?[place].firstSeen = Int64.random(in: 1...50, using: &generator)
            row.models?[place].ownedBy = ["caf\u{E9}", "cafe\u{301}", nil].randomElement(using: &generator) ?? nil
            row.models?[place].contextLength = Bool.random(using: &generator) ? 4096 : nil
            row.models?[place].contentDigest =
                ["caf\u{E9}", "cafe\u{301}", nil].randomElement(using: &generator) ?? nil
            row.models?[place].sizeBytes = Bool.random(using: &generator) ? 5 << 30 : nil
        }
        return row
    }

    private static func verification(
        of known: (endpoint: Int, generation: Int64), upTo revision: Int64, _ poller: String,
        using generator: inout SeededGenerator
    ) -> CatalogMessage {
        let repos = ["org/x", "other/x", "org/a"]
        return .verifyResult(
            VerifyResult(
                registration: repos.randomElement(using: &generator) ?? "org/x",
                number: Int64.random(in: 1...revision, using: &generator), endpoint: Sample.id(known.endpoint),
                generation: known.generation, model: "a",
                outcome: Bool.random(using: &generator) ? .ok : .timeout,
                by: Bool.random(using: &generator) ? poller : VerifyResult.registrar,
                at: Int64.random(in: 1...9, using: &generator)))
    }

    private static func operation(using generator: inout SeededGenerator) -> CatalogMessage {
        let states: [Operation.State] = [.pending, .succeeded, .failed]
        return .operationChanged(
            Operation(
                id: "o\(Int.random(in: 0...3, using: &generator))",
                state: states.randomElement(using: &generator) ?? .pending, step: "s", status: 200,
                sequence: Int64.random(in: 1...3, using: &generator) * Operation.keptRevisions,
                at: Int64.random(in: 1000...2000, using: &generator)))
    }

    /// Says again what it has seen at some points of one of the possible histories.
    private static func repeater(
        of senders: [[CatalogMessage]], using generator: inout SeededGenerator
    ) -> [CatalogMessage] {
        var simulated = SimulatedSenders(senders: senders)
        let seen = simulated.interleaved(using: &generator)
        simulated.senders = []
        var messages: [CatalogMessage] = []
        for _ in 0..<2 {
            let catalog = Catalog(Array(seen.prefix(Int.random(in: 0...seen.count, using: &generator))))
            messages += catalog.allMessages(from: "p0")
        }
        return messages
    }

    private init(senders: [[CatalogMessage]]) { self.senders = senders }
}
