public import Foundation

/// Answers of real servers, kept in files.
public struct FixtureFolder: Sendable {
    public let url: URL

    /// The folder `name` of the fixtures among the resources of a test target.
    public init(_ name: String, in bundle: Bundle) {
        url = bundle.bundleURL.appending(path: "Fixtures/\(name)", directoryHint: .isDirectory)
    }

    public func body(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appending(path: name))) }

    /// Paths of all files, relative to the folder.
    public func names() throws -> Set<String> {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: url.path)
        return Set(
            paths.filter { path in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: url.path + "/" + path, isDirectory: &isFolder)
                    && !isFolder.boolValue
            })
    }
}
