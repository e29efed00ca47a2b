import Catalog
import TestSupport
import Testing

/// Histories made up at random from the seeds that are the arguments, so that a failure repeats itself.
///
/// One after another: they compute without a pause, and tests beside them have deadlines.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CatalogPropertyTests {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func everyOrderEndsAlike(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let senders = SimulatedSenders(steps: 30, pollers: 3, using: &generator)
        var reference = Catalog(senders.senders.flatMap { $0 })
        for turn in 0..<6 {
            let log = senders.interleaved(replays: turn, using: &generator)
            var catalog = Catalog(log)
            #expect(catalog.modelList == reference.modelList, "seed \(seed), turn \(turn)")
            #expect(catalog.endpoints == reference.endpoints, "seed \(seed), turn \(turn)")
            #expect(catalog.registrations == reference.registrations, "seed \(seed), turn \(turn)")
            #expect(catalog.keys == reference.keys, "seed \(seed), turn \(turn)")
            for number in 1...6 {
                let digest = Sample.key(number, revision: 0).digest
                #expect(catalog.key(digest: digest)?.record == reference.key(id: Sample.id(number)), "seed \(seed)")
            }
            for number in 0...3 {
                #expect(catalog.operation(id: "o\(number)") == reference.operation(id: "o\(number)"), "seed \(seed)")
            }
            #expect(catalog.completeness == reference.completeness, "seed \(seed), turn \(turn)")
            #expect(catalog.highestTick == reference.highestTick, "seed \(seed)")
            #expect(catalog.highestRevision == reference.highestRevision, "seed \(seed)")
        }
    }

    /// The list that is kept up to date line by line is the one that would be made at once.
    @Test(arguments: 100..<130 as Range<UInt64>)
    func listIsTheSameWheneverItIsAskedFor(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let log = SimulatedSenders(steps: 30, pollers: 2, using: &generator).interleaved(using: &generator)
        var asked = Catalog()
        for (offset, message) in log.enumerated() {
            let before = asked.modelList
            let effects = asked.apply(message, at: Int64(offset))
            if asked.modelList != before { #expect(effects.last == .modelsChanged, "seed \(seed)") }
        }
        var unasked = Catalog(log)
        #expect(asked.modelList == unasked.modelList, "seed \(seed)")
        let expected = ReferenceList.text(of: unasked.endpoints, unasked.registrations.map(\.record))
        #expect(unasked.listText == expected, "seed \(seed)")
    }

    /// What a catalog says once more is enough by itself.
    @Test(arguments: 200..<240 as Range<UInt64>)
    func whatIsSaidOnceMoreGivesTheSameCatalog(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let senders = SimulatedSenders(steps: 40, pollers: 2, using: &generator)
        var catalog = Catalog(senders.interleaved(using: &generator))
        var copy = Catalog(catalog.allMessages(from: "p"))
        #expect(copy.modelList == catalog.modelList, "seed \(seed)")
        #expect(copy.endpoints == catalog.endpoints, "seed \(seed)")
        #expect(copy.registrations == catalog.registrations, "seed \(seed)")
        #expect(copy.keys == catalog.keys, "seed \(seed)")
        #expect(copy.registry == catalog.registry)
        #expect(copy.allMessages(from: "p") == catalog.allMessages(from: "p"), "seed \(seed)")
    }
}

/// The list made in the plainest way from what the contract says.
enum ReferenceList {
    static func text(of endpoints: [EndpointView], _ registrations: [RegistrationRecord]) -> String {
        var ids = Set<ModelID>()
        for endpoint in endpoints where isUsable(endpoint) {
            ids.formUnion((endpoint.snapshot?.models ?? []).map(\.id))
        }
        let lines = ids.sorted().map { line($0, endpoints, registrations) }
        return #"{"object":"list","data":[\#(lines.joined(separator: ","))]}"#
    }

    private static func isUsable(_ endpoint: EndpointView) -> Bool { [.online, .degraded].contains(endpoint.state) }

    /// The names of the made-up histories' registrations only.
    private static func registration(of id: ModelID, _ registrations: [RegistrationRecord]) -> String? {
        let matching = registrations.filter { record in
            let last = record.repo.split(separator: "/")[1]
            let quantized = record.quantization.map { ":" + $0.lowercased() }
            return [record.repo, String(last)].contains { base in
                id.value == base || quantized.map { id.value == base + $0 } == true
            }
        }
        return matching.min { left, right in
            let ranks = (id.value.hasPrefix(left.repo) ? 0 : 1, id.value.hasPrefix(right.repo) ? 0 : 1)
            return ranks.0 == ranks.1 ? left.name < right.name : ranks.0 < ranks.1
        }?.name
    }

    private static func line(
        _ id: ModelID, _ endpoints: [EndpointView], _ registrations: [RegistrationRecord]
    ) -> String {
        let held = endpoints.compactMap { endpoint in
            endpoint.snapshot?.models.first { $0.id == id }.map { (endpoint, $0) }
        }
        let usable = held.filter { isUsable($0.0) }
        let owners = Set(usable.compactMap { $0.1.ownedBy.map { Array($0.utf8) } })
        let owner = owners.count == 1 ? owners.first.map { String(decoding: $0, as: UTF8.self) } : nil
        let context = usable.compactMap { $0.1.contextLength }.min().map { #","context_length":\#($0)"# } ?? ""
        let longest = usable.compactMap { $0.1.contextLength }.max().map { #","context_length_max":\#($0)"# } ?? ""
        let names = usable.map { "\"" + $0.0.record.name + "\"" }.joined(separator: ",")
        let text = id.value.replacing("\"", with: "\\\"")
        return #"{"id":"\#(text)","object":"model","created":\#(held.map { $0.1.firstSeen }.min() ?? 0),"#
            + #""owned_by":"\#(owner ?? "rollcall")"\#(context),"endpoints":[\#(names)]"#
            + (registration(of: id, registrations).map { #","registration":"\#($0)""# } ?? "") + longest + "}"
    }
}
