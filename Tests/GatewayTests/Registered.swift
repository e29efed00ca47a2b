import Catalog

/// Registered models for the tests.
enum Registered {
    static let name = "org/model-gguf"

    static func record(_ repo: String = "Org/Model-GGUF", revision: Int64, files: Int = 1) -> RegistrationRecord {
        let name = ASCIIFolding.lowercased(repo)
        let commit = String(repeating: "a", count: 40)
        let manifest = Manifest(
            name: name, repo: repo, commit: commit, format: .gguf, quantization: "Q4_K_M",
            sizeBytes: 4_000_000_000,
            files: (0..<files).map { number in
                ManifestFile(
                    name: "model-\(number).gguf", path: "weights/model-\(number).gguf", role: .weights,
                    sizeBytes: 4_000_000_000, sha256: String(repeating: "c", count: 64),
                    url: "https://hub.test/\(repo)/resolve/\(commit)/weights/model-\(number).gguf", priority: 0,
                    runtimes: ["llama_cpp"], isOptional: false)
            }, createdAt: "2026-11-22T20:00:00Z", digest: "sha256:\(String(repeating: "d", count: 60))\(revision)")
        return RegistrationRecord(
            name: name, repo: repo, displayName: "A \"model\"", requestedRevision: "main", commit: commit,
            format: .gguf, quantization: "Q4_K_M", sizeBytes: 4_000_000_000, requiredMemoryBytes: 6_000_000_000,
            parameterCount: 7_000_000_000, contextLength: 32_768, architecture: "qwen2", license: "apache-2.0",
            chatTemplate: "{% for message in messages %}\n\t{{ message }}\u{1F600}\u{1}\\{% endfor %}",
            alternatives: [ArtifactChoice(quantization: "Q8_0", filename: "q8.gguf", sizeBytes: nil)],
            warnings: [RegistrationWarning(code: "gated_repository", message: "ask for access")],
            manifest: manifest,
            hub: HubInfo(
                downloads: 12, likes: 3, lastModified: "2026-01-02T03:04:05.000Z", fetchedAt: 1_800_000_000_000),
            generation: revision, revision: revision, createdAt: 1_700_000_000)
    }

    /// What nothing is known of.
    static func bareRecord(_ repo: String, revision: Int64) -> RegistrationRecord {
        let name = ASCIIFolding.lowercased(repo)
        let manifest = Manifest(
            name: name, repo: repo, commit: "c", format: .safetensors, quantization: nil, sizeBytes: nil, files: [],
            createdAt: "2026-11-22T20:00:00Z", digest: "sha256:0")
        return RegistrationRecord(
            name: name, repo: repo, requestedRevision: "main", commit: "c", format: .safetensors, manifest: manifest,
            hub: HubInfo(downloads: nil, likes: nil, lastModified: nil, fetchedAt: 0, isStale: true),
            generation: revision, revision: revision, createdAt: 0)
    }

    static func change(_ record: RegistrationRecord) -> CatalogMessage { .registryChanged(RegistryChange(record)) }

    /// `alpha` serves the model under two ids, `beta` is pending.
    static let usual: [CatalogMessage] = [
        Fleet.record(Fleet.firstID, "alpha", revision: 1),
        Fleet.record(Fleet.secondID, "beta", revision: 2),
        Fleet.row(
            Fleet.firstID, generation: 1, tick: 10, models: ["org/model-gguf:Q4_K_M", "/models/model-0.gguf", "other"]),
        change(record(revision: 3)),
    ]
}
