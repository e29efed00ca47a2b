import Catalog

extension RepositoryDrift {
    /// How `new` differs from the registered manifest, by path.
    ///
    /// A file has changed where its SHA-256, its size, or its role differs. Of a small file, which has no SHA-256, a
    /// change that keeps its size is not seen.
    init(from old: Manifest, to new: Manifest, detectedAt: Int64) {
        let before = Dictionary(old.files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(new.files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        var changes: [Change] = []
        for (path, file) in after {
            guard let known = before[path] else {
                changes.append(Change(path: path, change: .added))
                continue
            }
            if (known.sha256, known.sizeBytes, known.role) != (file.sha256, file.sizeBytes, file.role) {
                changes.append(Change(path: path, change: .changed))
            }
        }
        for path in before.keys where after[path] == nil { changes.append(Change(path: path, change: .removed)) }
        changes.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        self.init(commit: new.commit, detectedAt: detectedAt, changes: changes)
    }
}
