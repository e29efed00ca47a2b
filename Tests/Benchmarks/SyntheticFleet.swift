import Catalog
import Foundation

/// What the registrar and the pollers would say of a fleet of vLLM servers.
///
/// Model m of endpoint n is number n × modelsEach + m, modulo the number of different models. A change of a list takes
/// its first model away and adds the next one.
struct SyntheticFleet {
    let size: Int
    let modelsEach: Int
    let distinct: Int
    let base: String
    let pollInterval: Int

    /// Milliseconds since 1970: where `window` ends.
    let now = Int64(Date().timeIntervalSince1970 * 1000)

    private static let registryID = "6f1d2a34-0000-4000-8000-000000000001"
    private static let rowsPerMessage = 50
    private static let firstSeen: Int64 = 1_700_000_000

    /// The key that `scripts/bench` presents: its SHA-256 is all that a registry keeps of it.
    var key: KeyRecord {
        KeyRecord(
            id: "00000000-0000-4000-9000-000000000001", name: "benchmarks",
            digest: "f83c9e72e46959e0602ef08a2654a672e89b8f8428aa5b2824e1ea7d0fb39212", scopes: [.inference, .models],
            revision: Int64(size) + 1, createdAt: Self.firstSeen)
    }

    /// Every record, then the checkpoint that names them.
    var registry: [CatalogMessage] {
        (0..<size).map { .registryChanged(RegistryChange(record($0))) } + [.registryChanged(RegistryChange(key))]
            + checkpoint(madeAt: now)
    }

    /// A full row of each endpoint.
    var firstPolls: [CatalogMessage] { batches(0..<size, at: now) { row($0, version: 0, base: nil, at: now) } }

    /// What a gateway has to catch up with that was away for some polls: in each round every endpoint has another list.
    func backlog(rounds: Int = 5, write: (CatalogMessage) async throws -> Void) async throws {
        for round in 1...rounds {
            let time = now + Int64(round)
            for message in batches(0..<size, at: time, { row($0, version: round, base: nil, at: time) }) {
                try await write(message)
            }
        }
    }

    func record(_ number: Int) -> EndpointRecord {
        EndpointRecord(
            id: id(number), name: "node-\(number)", baseURL: "\(base)/e/\(number)", kind: .vllm,
            labels: ["zone": "z\(number % 8)"], pollIntervalSeconds: pollInterval, generation: Int64(number) + 1,
            revision: Int64(number) + 1, createdAt: Self.firstSeen)
    }

    func checkpoint(madeAt: Int64) -> [CatalogMessage] {
        let endpoints = (0..<size).map { CheckpointEntry(kind: .endpoint, id: id($0), revision: Int64($0) + 1) }
        let entries = endpoints + [CheckpointEntry(kind: .key, id: key.id, revision: key.revision)]
        return Checkpoint.parts(
            registry: Self.registryID, incarnation: 1, revision: key.revision, entries: entries, madeAt: madeAt
        ).map(CatalogMessage.registryCheckpoint)
    }

    /// - Parameters:
    ///   - version: How many times the endpoint's list has changed.
    ///   - base: The version that is held; the row carries its models only where that is another.
    func row(_ number: Int, version: Int, base: Int?, at time: Int64) -> SnapshotRow {
        SnapshotRow(
            endpoint: id(number), generation: Int64(number) + 1, tick: time, poller: poller(number), state: .online,
            kind: .vllm, latencyMilliseconds: 3 + number % 40, observedAt: time, lastOKAt: time,
            baseDigest: base.map { digest(number, $0) }, digest: digest(number, version),
            models: version == base ? nil : models(number, version))
    }

    func models(_ number: Int, _ version: Int) -> [ModelEntry] {
        (0..<modelsEach).map { place in
            let model = (number * modelsEach + place + version) % distinct
            return ModelEntry(
                id: ModelID("organisation-\(model % 50)/model-\(model)-instruct"), ownedBy: "vllm",
                contextLength: 32768, firstSeen: Self.firstSeen + Int64(model))
        }
    }

    func id(_ number: Int) -> String { "00000000-0000-4000-8000-\(hex(number, digits: 12))" }
    func digest(_ number: Int, _ version: Int) -> String { hex(number, digits: 16) + hex(version, digits: 16) }
    func poller(_ number: Int) -> String { hex(0xa0 + number / Self.rowsPerMessage % 3, digits: 8) }

    func hex(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }

    func batches(
        _ numbers: some Sequence<Int>, at time: Int64, _ row: (Int) -> SnapshotRow
    ) -> [CatalogMessage] {
        let numbers = Array(numbers)
        return stride(from: 0, to: numbers.count, by: Self.rowsPerMessage).map { start in
            let part = numbers[start..<min(start + Self.rowsPerMessage, numbers.count)]
            return .snapshotBatch(SnapshotBatch(poller: poller(part[start]), rows: part.map(row)))
        }
    }
}

extension SyntheticFleet {
    /// What eleven minutes of polls leave of a fleet that has been there for long; `write` gets each message in its order.
    ///
    /// Each endpoint is polled once in each interval; unchanged rows go in messages of 50, a changed row (1 %) in its
    /// own. A checkpoint comes each minute.
    func window(seconds: Int = 660, write: (CatalogMessage) async throws -> Void) async throws {
        for message in registry + firstPolls { try await write(message) }
        var versions = [Int](repeating: 0, count: size)
        for second in 0..<seconds {
            let time = now - Int64(seconds - second) * 1000
            var messages = polls(inSecond: second, at: time, &versions)
            if second % 60 == 0 { messages += checkpoint(madeAt: time) }
            for message in messages { try await write(message) }
        }
    }

    private func polls(inSecond second: Int, at time: Int64, _ versions: inout [Int]) -> [CatalogMessage] {
        let (round, phase) = second.quotientAndRemainder(dividingBy: pollInterval)
        let due = stride(from: phase, to: size, by: pollInterval)
        let changed = due.filter { ($0 / pollInterval + round) % 100 == 0 }
        var messages = batches(due.filter { ($0 / pollInterval + round) % 100 != 0 }, at: time) {
            row($0, version: versions[$0], base: versions[$0], at: time)
        }
        for number in changed {
            versions[number] += 1
            let row = row(number, version: versions[number], base: versions[number] - 1, at: time)
            messages.append(.snapshotBatch(SnapshotBatch(poller: row.poller, rows: [row])))
        }
        return messages
    }
}
