import Catalog
import Testing

@testable import Registrar

@Suite struct RepositoryDriftTests {
    private func manifest(_ files: [(String, Int64?, String?)], commit: Character = "a") -> Manifest {
        Manifest(
            name: "org/name", repo: "Org/Name", commit: String(repeating: commit, count: 40), format: .gguf,
            quantization: nil, sizeBytes: nil,
            files: files.map { file in
                ManifestFile(
                    name: file.0, path: file.0, role: .weights, sizeBytes: file.1, sha256: file.2,
                    url: "https://huggingface.co/Org/Name/resolve/\(commit)/\(file.0)", priority: 0,
                    runtimes: ["llama_cpp"], isOptional: false)
            }, createdAt: "2026-11-22T20:00:00Z", digest: "")
    }

    @Test func saysWhatChanged() {
        let old = manifest([
            ("gone", 1, nil), ("grown", 1, nil), ("other", 1, "x"), ("same", 1, "x"), ("unknown", nil, nil),
        ])
        let new = manifest(
            [("added", 1, nil), ("grown", 2, nil), ("other", 1, "y"), ("same", 1, "x"), ("unknown", nil, nil)],
            commit: "b")
        let drift = RepositoryDrift(from: old, to: new, detectedAt: 9)
        #expect(drift.commit == String(repeating: "b", count: 40) && drift.detectedAt == 9)
        #expect(
            drift.changes == [
                .init(path: "added", change: .added), .init(path: "gone", change: .removed),
                .init(path: "grown", change: .changed), .init(path: "other", change: .changed),
            ])
    }

    /// The URLs and the date differ with every commit; they are no change of a file.
    @Test func anotherCommitAloneChangesNothing() {
        let files: [(String, Int64?, String?)] = [("a", 1, "x")]
        #expect(RepositoryDrift(from: manifest(files), to: manifest(files, commit: "b"), detectedAt: 0).changes == [])
    }
}
