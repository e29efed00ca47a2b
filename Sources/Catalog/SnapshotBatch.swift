import JSON

/// What one poller's polls found. As JSON, a row that says "online, and the same list as before" is an array in `same`,
/// and each other row is an object in `rows`: most rows are of the first sort, and an array is a third of an object.
public struct SnapshotBatch: Sendable, Hashable {
    public var poller: String
    public var rows: [SnapshotRow]
    /// Why rows of a batch that was read are not in `rows`, one reason each; never the rows themselves.
    public private(set) var leftOut: [String] = []

    public init(poller: String, rows: [SnapshotRow]) {
        self.poller = poller
        self.rows = rows
    }
}

extension SnapshotBatch: Codable {
    enum CodingKeys: CodingKey {
        case poller, rows, same
    }

    /// A row that cannot be read, or that says what no poller means, costs no other row.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        poller = try container.decode(String.self, forKey: .poller)
        rows = []
        for row in try container.decodeIfPresent([Lenient<UnchangedRow>].self, forKey: .same) ?? [] {
            take(row.result.map { $0.row(of: poller) })
        }
        for row in try container.decodeIfPresent([Lenient<SnapshotRow>].self, forKey: .rows) ?? [] { take(row.result) }
    }

    private mutating func take(_ row: Result<SnapshotRow, any Error>) {
        do {
            let row = try row.get()
            if let reason = row.implausibility { leftOut.append(reason) } else { rows.append(row) }
        } catch {
            leftOut.append((error as? DecodingError)?.placeOnly ?? "not as expected")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(poller, forKey: .poller)
        var same: [UnchangedRow] = []
        var others: [SnapshotRow] = []
        for row in rows {
            if let unchanged = UnchangedRow(row, of: poller) { same.append(unchanged) } else { others.append(row) }
        }
        if !same.isEmpty { try container.encode(same, forKey: .same) }
        // Releases that know no `same` demand it.
        try container.encode(others, forKey: .rows)
    }
}

/// A poll that found an endpoint online with the list that was known: a row of which most fields follow from this.
/// It says all of its row, so that it means the same to a process that has just begun to read.
///
/// As JSON: `[endpoint, generation, tick, kind, latency_ms, observed_at, digest, gpu_memory_bytes]`; what is behind the
/// last of these is for later releases.
private struct UnchangedRow: Codable {
    let endpoint: String
    let generation: Int64
    let tick: Int64
    let kind: EndpointKind?
    let latencyMilliseconds: Int?
    let observedAt: Int64
    let digest: String?
    let gpuMemoryBytes: Int64?

    /// nil for a row that says more.
    init?(_ row: SnapshotRow, of poller: String) {
        endpoint = row.endpoint
        generation = row.generation
        tick = row.tick
        kind = row.kind
        latencyMilliseconds = row.latencyMilliseconds
        observedAt = row.observedAt
        digest = row.digest
        gpuMemoryBytes = row.gpuMemoryBytes
        guard row == self.row(of: poller) else { return nil }
    }

    func row(of poller: String) -> SnapshotRow {
        SnapshotRow(
            endpoint: endpoint, generation: generation, tick: tick, poller: poller, state: .online, kind: kind,
            latencyMilliseconds: latencyMilliseconds, observedAt: observedAt, lastOKAt: observedAt,
            gpuMemoryBytes: gpuMemoryBytes, baseDigest: digest, digest: digest)
    }

    init(from decoder: any Decoder) throws {
        var fields = try decoder.unkeyedContainer()
        endpoint = try fields.decode(String.self)
        generation = try fields.decode(Int64.self)
        tick = try fields.decode(Int64.self)
        kind = try fields.decodeIfPresent(EndpointKind.self)
        latencyMilliseconds = try fields.decodeIfPresent(Int.self)
        observedAt = try fields.decode(Int64.self)
        digest = try fields.decodeIfPresent(String.self)
        gpuMemoryBytes = try fields.decodeIfPresent(Int64.self)
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.unkeyedContainer()
        try fields.encode(endpoint)
        try fields.encode(generation)
        try fields.encode(tick)
        try fields.encode(kind)
        try fields.encode(latencyMilliseconds)
        try fields.encode(observedAt)
        try fields.encode(digest)
        if let gpuMemoryBytes { try fields.encode(gpuMemoryBytes) }
    }
}
