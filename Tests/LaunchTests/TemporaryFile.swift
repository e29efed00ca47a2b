import Foundation

/// A file with the given text while `body` runs.
func withFile<Result>(_ text: String, named name: String = "file", body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "rollcall-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appending(path: name)
    try Data(text.utf8).write(to: file)
    let result = Swift.Result { try body(file.path()) }
    try FileManager.default.removeItem(at: folder)
    return try result.get()
}
