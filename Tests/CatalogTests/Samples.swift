import Catalog

/// Small values to build logs from.
enum Sample {
    static let registry = "11111111-2222-4333-8444-555555555555"

    static func id(_ number: Int) -> String {
        let digits = String(number)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    static func record(_ number: Int, name: String? = nil, generation: Int64, revision: Int64) -> EndpointRecord {
        EndpointRecord(
            id: id(number), name: name ?? "e\(number)", baseURL: "http://h\(number)", generation: generation,
            revision: revision, createdAt: 1000)
    }

    static func created(
        _ number: Int, name: String? = nil, generation: Int64? = nil, revision: Int64
    ) -> CatalogMessage {
        let record = record(number, name: name, generation: generation ?? revision, revision: revision)
        return .registryChanged(RegistryChange(record))
    }

    static func removed(_ number: Int, revision: Int64) -> CatalogMessage {
        .registryChanged(RegistryChange(tombstoneOf: .endpoint, id: id(number), revision: revision))
    }

    static func registration(
        _ repo: String, quantization: String? = nil, files: [String] = [], generation: Int64? = nil, revision: Int64
    ) -> RegistrationRecord {
        let name = repo.lowercased()
        let manifest = Manifest(
            name: name, repo: repo, commit: "c", format: .gguf, quantization: quantization, sizeBytes: nil,
            files: files.map { file in
                ManifestFile(
                    name: file.split(separator: "/").last.map(String.init) ?? file, path: file, role: .weights,
                    sizeBytes: nil, sha256: nil, url: "u", priority: 0, runtimes: [], isOptional: false)
            }, createdAt: "2026-01-01T00:00:00Z", digest: "d")
        return RegistrationRecord(
            name: name, repo: repo, requestedRevision: "main", commit: "c", format: .gguf,
            quantization: quantization, manifest: manifest,
            hub: HubInfo(downloads: nil, likes: nil, lastModified: nil, fetchedAt: 0),
            generation: generation ?? revision, revision: revision, createdAt: 0)
    }

    static func registered(
        _ repo: String, quantization: String? = nil, files: [String] = [], revision: Int64
    ) -> CatalogMessage {
        .registryChanged(
            RegistryChange(registration(repo, quantization: quantization, files: files, revision: revision)))
    }

    static func key(
        _ number: Int, name: String = "key", scopes: [Scope] = [.models], models: [String]? = nil, revision: Int64
    ) -> KeyRecord {
        let digits = String(number)
        return KeyRecord(
            id: id(number), name: name, digest: String(repeating: "0", count: 64 - digits.count) + digits,
            scopes: scopes, models: models, revision: revision, createdAt: 1000)
    }

    static func made(
        _ number: Int, name: String = "key", models: [String]? = nil, revision: Int64
    ) -> CatalogMessage {
        .registryChanged(RegistryChange(key(number, name: name, models: models, revision: revision)))
    }

    static func revoked(_ number: Int, revision: Int64) -> CatalogMessage {
        .registryChanged(RegistryChange(tombstoneOf: .key, id: id(number), revision: revision))
    }

    static func row(
        _ number: Int, generation: Int64, tick: Int64, models: [String]?, digest: String? = nil,
        state: EndpointState = .online, poller: String = "p1", firstSeen: Int64 = 500
    ) -> SnapshotRow {
        SnapshotRow(
            endpoint: id(number), generation: generation, tick: tick, poller: poller, state: state, observedAt: tick,
            digest: digest ?? models?.joined(separator: ","),
            models: models?.map { ModelEntry(id: ModelID($0), ownedBy: "library", firstSeen: firstSeen) })
    }

    static func batch(_ rows: SnapshotRow...) -> CatalogMessage {
        .snapshotBatch(SnapshotBatch(poller: rows.first?.poller ?? "p1", rows: rows))
    }

    static func checkpoint(
        _ entries: [(Int, Int64)], revision: Int64, incarnation: Int64 = 1, madeAt: Int64 = 1000
    ) -> CatalogMessage {
        .registryCheckpoint(
            CheckpointPart(
                registry: registry, incarnation: incarnation, revision: revision, part: 0, parts: 1,
                entries: entries.map { CheckpointEntry(kind: .endpoint, id: id($0.0), revision: $0.1) },
                madeAt: madeAt))
    }
}

extension Catalog {
    /// Made of `log`, applied at offsets from 0.
    init(_ log: [CatalogMessage]) {
        self.init()
        for (offset, message) in log.enumerated() { _ = apply(message, at: Int64(offset)) }
    }

    var listText: String { mutating get { String(decoding: modelList.bytes, as: UTF8.self) } }
}

extension CatalogView {
    /// A line of the list.
    func entry(_ id: ModelID) -> [UInt8]? { model(id)?.encoded }
}
