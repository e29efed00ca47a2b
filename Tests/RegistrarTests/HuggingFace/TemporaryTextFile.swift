import Foundation

/// A file with a text, until `remove()`.
struct TemporaryTextFile {
    let path: String

    init(_ text: String) {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("registrar-\(UUID().uuidString).txt")
        path = url.path
        precondition(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
    }

    func remove() {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("left behind: \(path): \(error)")
        }
    }
}
