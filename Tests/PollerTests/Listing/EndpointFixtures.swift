import Foundation

/// The answers kept under `Fixtures/endpoints`.
enum EndpointFixtures {
    static var folder: URL {
        Bundle.module.bundleURL.appending(path: "Fixtures/endpoints", directoryHint: .isDirectory)
    }

    static func body(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: name)))
    }

    /// Paths of all files, relative to the folder.
    static func names() throws -> Set<String> {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        return Set(
            paths.filter { path in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: folder.path + "/" + path, isDirectory: &isFolder)
                    && !isFolder.boolValue
            })
    }
}
