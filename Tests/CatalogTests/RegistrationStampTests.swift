import TestSupport
import Testing

@testable import Catalog

/// Who keeps what it made of a registration must hear of everything that shows of it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RegistrationStampTests {
    private struct Shown: Equatable {
        var view: RegistrationView
        var verified: [String?]
    }

    private func shown(_ catalog: Catalog) -> [String: Shown] {
        var shown: [String: Shown] = [:]
        for view in catalog.registrations {
            let names = view.verifications.map { catalog.endpointName(id: $0.endpoint) }
            shown[view.record.name] = Shown(view: view, verified: names)
        }
        return shown
    }

    private func stamps(_ catalog: Catalog) -> [String: Catalog.RegistrationStamp] {
        Dictionary(uniqueKeysWithValues: catalog.registrationStamps.map { ($0.name, $0.stamp) })
    }

    @Test(arguments: 400..<460 as Range<UInt64>)
    func whateverShowsHasAnotherStamp(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let log = history(using: &generator)
        var catalog = Catalog()
        var seen = 0
        for (offset, message) in log.enumerated() {
            let (before, old) = (shown(catalog), stamps(catalog))
            _ = catalog.apply(message, at: Int64(offset))
            let (after, new) = (shown(catalog), stamps(catalog))
            #expect(Set(after.keys) == Set(new.keys), "seed \(seed)")
            #expect(catalog.registrationStamps.map(\.name) == after.keys.sorted(), "seed \(seed)")
            for (name, what) in after where before[name] != what {
                seen += 1
                #expect(new[name] != old[name], "seed \(seed), offset \(offset), \(name)")
            }
        }
        #expect(seen > 5, "a history in which something happens")
        // Another catalog of the same log shares no stamp that stands for something else.
        let again = Catalog(log)
        for (name, stamp) in stamps(again) where stamps(catalog)[name] == stamp {
            #expect(shown(again)[name] == shown(catalog)[name], "seed \(seed)")
        }
    }

    /// What changes nothing that shows leaves the stamps alone: polls come all the time.
    @Test func pollsThatBringNothingNewLeaveThemAlone() {
        var catalog = Catalog([
            Sample.created(1, revision: 1), Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["a"])),
            .registryChanged(RegistryChange(record("org/a", revision: 2))),
            .registryChanged(RegistryChange(record("org/z", revision: 3))),
            .verifyResult(result("org/a", endpoint: 1, number: 4)),
        ])
        let before = stamps(catalog)
        _ = catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: 2, models: nil, digest: "a")), at: 9)
        _ = catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: 3, models: ["a"])), at: 10)
        for message in catalog.allMessages(from: "p") { _ = catalog.apply(message, at: 11) }
        #expect(stamps(catalog) == before)
        _ = catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: 4, models: ["a", "b"])), at: 12)
        #expect(stamps(catalog) == before, "a model that is not registered")
        _ = catalog.apply(
            Sample.batch(Sample.row(1, generation: 1, tick: 5, models: nil, digest: "ab", state: .degraded)), at: 13)
        #expect(stamps(catalog)["org/a"] != before["org/a"])
        #expect(stamps(catalog)["org/z"] == before["org/z"], "not served by it")
    }

    @Test func namesOfEndpointsAreThoseOfLiveOnes() {
        let catalog = Catalog([
            Sample.created(1, revision: 1), Sample.created(2, revision: 2), Sample.removed(2, revision: 3),
        ])
        #expect(catalog.endpointName(id: Sample.id(1)) == "e1")
        #expect(catalog.endpointName(id: Sample.id(2)) == nil && catalog.endpointName(id: "x") == nil)
    }

    private func record(_ name: String, quantization: String? = nil, revision: Int64) -> RegistrationRecord {
        let manifest = Manifest(
            name: name, repo: name, commit: "c", format: .gguf, quantization: quantization, sizeBytes: nil, files: [],
            createdAt: "2026-11-22T20:00:00Z", digest: "sha256:0")
        return RegistrationRecord(
            name: name, repo: name, requestedRevision: "main", commit: "c", format: .gguf,
            quantization: quantization, requiredMemoryBytes: 2, manifest: manifest,
            hub: HubInfo(downloads: revision, likes: nil, lastModified: nil, fetchedAt: 0),
            generation: min(revision, 20), revision: revision, createdAt: 0)
    }

    private func result(_ name: String, endpoint: Int, number: Int64) -> VerifyResult {
        VerifyResult(
            registration: name, number: number, endpoint: Sample.id(endpoint), generation: min(number, 8),
            model: ModelID("a"), outcome: .ok,
            by: "p1", at: number)
    }

    private func history(using generator: inout SeededGenerator) -> [CatalogMessage] {
        var log = SimulatedSenders(steps: 25, pollers: 2, using: &generator).interleaved(using: &generator)
        for place in log.indices {
            guard case .snapshotBatch(var batch) = log[place] else { continue }
            for row in batch.rows.indices where Int.random(in: 0..<4, using: &generator) == 0 {
                batch.rows[row].gpuMemoryBytes = Int64.random(in: 1...3, using: &generator)
            }
            log[place] = .snapshotBatch(batch)
        }
        let names: [(String, String?)] = [("org/a", nil), ("org/x", "7b"), ("org/z", nil), ("other/a", nil)]
        for _ in 0..<60 {
            let (name, quantization) = names[Int.random(in: 0..<names.count, using: &generator)]
            let revision = Int64.random(in: 1...60, using: &generator)
            let message: CatalogMessage
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: message = .registryChanged(RegistryChange(tombstoneOf: .registration, id: name, revision: revision))
            case 1...3:
                message = .registryChanged(RegistryChange(record(name, quantization: quantization, revision: revision)))
            default:
                message = .verifyResult(
                    result(name, endpoint: Int.random(in: 1...6, using: &generator), number: revision))
            }
            log.insert(message, at: Int.random(in: 0...log.count, using: &generator))
        }
        return log
    }
}
