import Foundation
import TestSupport

@testable import Registrar

extension FixtureFolder {
    /// Answers of the Hub, and files of repositories.
    static let hub = FixtureFolder("huggingface", in: .module)

    /// A whole answer: status, headers, body.
    struct Answer {
        let status: Int
        let headers: [(name: String, value: String)]
        let body: String

        func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    func answer(_ name: String) throws -> Answer {
        let text = String(decoding: try body(name), as: UTF8.self)
        let head = text.range(of: "\r\n\r\n").map { text[..<$0.lowerBound] } ?? text[...]
        let lines = head.components(separatedBy: "\r\n")
        let headers = lines.dropFirst().map { line -> (String, String) in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (String(parts[0]), parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
        return Answer(
            status: Int(lines[0].split(separator: " ")[1]) ?? 0, headers: headers,
            body: text.range(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? "")
    }
}

/// A repository to decide about: an answer of the Hub, as JSON, and the contents of its files.
struct SampleRepository: Sendable {
    static let commit = "9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c9f2c"
    static let sha256 = String(repeating: "ab", count: 32)

    let answer: [UInt8]

    /// - Parameters:
    ///   - files: with sizes; weights are in LFS
    ///   - extra: members of the answer, as JSON
    init(_ files: [(String, Int64?)], id: String? = "Org/Name", extra: String = "{}") {
        var object = Self.object(Array(extra.utf8))
        object["siblings"] = files.map { Self.sibling(path: $0.0, size: $0.1) }
        if let id { object["id"] = id }
        answer = Self.bytes(Self.completed(object))
    }

    init(_ paths: [String], extra: String = "{}") {
        self.init(paths.map { ($0, 100) }, extra: extra)
    }

    /// An answer with `?blobs=true` or without; `sha` is added where the fixture has none.
    init(fixture: String, adding paths: [String] = [], without removed: [String] = []) throws {
        var object = Self.object(try FixtureFolder.hub.body(fixture))
        let siblings = (object["siblings"] as? [[String: Any]] ?? [])
            .filter { !removed.contains($0["rfilename"] as? String ?? "") }
        object["siblings"] = siblings + paths.map { Self.sibling(path: $0, size: 100) }
        answer = Self.bytes(Self.completed(object))
    }

    /// The files of a `/tree` answer in the shape of `?blobs=true`.
    init(tree: String, adding paths: [String] = []) throws {
        let entries =
            try JSONSerialization.jsonObject(with: Data(try FixtureFolder.hub.body(tree))) as? [[String: Any]] ?? []
        let siblings = entries.filter { $0["type"] as? String == "file" }.map { entry -> [String: Any] in
            var sibling: [String: Any] = ["rfilename": entry["path"] ?? "", "size": entry["size"] ?? 0]
            if let lfs = entry["lfs"] as? [String: Any] {
                sibling["lfs"] = ["sha256": lfs["oid"] ?? "", "size": lfs["size"] ?? 0]
            }
            return sibling
        }
        answer = Self.bytes(
            Self.completed([
                "id": "Org/Name", "siblings": siblings + paths.map { Self.sibling(path: $0, size: 100) },
            ]))
    }

    init(answer: [UInt8]) { self.answer = answer }

    /// The same with a file in large file storage that has no place there.
    func replacingIndexByLFS(_ path: String) -> SampleRepository {
        var object = Self.object(answer)
        let siblings = object["siblings"] as? [[String: Any]] ?? []
        object["siblings"] = siblings + [["rfilename": path, "size": 9, "lfs": ["sha256": Self.sha256]]]
        return SampleRepository(answer: Self.bytes(object))
    }

    /// The same with these files in large file storage.
    func inLargeFileStorage(_ paths: Set<String>) -> SampleRepository {
        var object = Self.object(answer)
        object["siblings"] = (object["siblings"] as? [[String: Any]] ?? []).map { sibling -> [String: Any] in
            guard let path = sibling["rfilename"] as? String, paths.contains(path) else { return sibling }
            return sibling.merging(["lfs": ["sha256": Self.sha256]]) { $1 }
        }
        return SampleRepository(answer: Self.bytes(object))
    }

    private static func sibling(path: String, size: Int64?) -> [String: Any] {
        var sibling: [String: Any] = ["rfilename": path]
        sibling["size"] = size
        if path.hasSuffix(".gguf") || path.hasSuffix(".safetensors") {
            sibling["lfs"] = ["sha256": sha256]
        }
        return sibling
    }

    private static func completed(_ object: [String: Any]) -> [String: Any] {
        object.merging(["sha": commit]) { own, _ in own }
    }

    private static func object(_ bytes: [UInt8]) -> [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any] ?? [:]
    }

    private static func bytes(_ object: [String: Any]) -> [UInt8] {
        do {
            return Array(try JSONSerialization.data(withJSONObject: object, options: .sortedKeys))
        } catch {
            preconditionFailure("a sample that is no JSON")
        }
    }
}
