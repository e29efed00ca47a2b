import Conventions
import Crypto
import FoundationEssentials
import JSON

/// What a control request wants of the Hub cannot be.
struct HubError: Error, CustomStringConvertible {
    let description: String
}

/// The body of `PUT /control/hub/repositories/{org}/{name}`: a commit, and what holds for the whole repository.
struct HubRepositoryBody: Sendable, Decodable {
    /// Made-up weights: a size, or `{"size":…,"variant":…}`; another variant has other bytes.
    struct Generated: Sendable, Decodable {
        var size: Int
        var variant: Int

        private enum CodingKeys: String, CodingKey { case size, variant }

        init(size: Int, variant: Int = 0) {
            self.size = size
            self.variant = variant
        }

        init(from decoder: any Decoder) throws {
            if let size = try? decoder.singleValueContainer().decode(Int.self) {
                self.init(size: size)
                return
            }
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                size: try fields.decode(Int.self, forKey: .size),
                variant: try fields.decodeIfPresent(Int.self, forKey: .variant) ?? 0)
        }
    }

    /// An answer of the API as it is, `siblings` and `sha` included.
    var info: [String: JSONValue]?
    /// Text by path.
    var files: [String: String]?
    var generated: [String: Generated]?
    /// A folder of this machine whose files are the repository's.
    var directory: String?
    /// Goes before that of `info`.
    var gated: JSONValue?
    var accessGranted: Bool?
    var isPrivate: Bool?
    var renamedTo: String?
    /// The commit's sha; else that of `info`, or one that follows from the content.
    var commit: String?
    /// Branches and tags to set; only `main`, to this commit, where it is left out.
    var revisions: [String: String]?
    var behaviour: HubBehaviourChange?

    init() {}

    enum CodingKeys: String, CodingKey {
        case info, files, generated, directory, gated, commit, revisions, behaviour
        case accessGranted = "access_granted"
        case isPrivate = "private"
        case renamedTo = "renamed_to"
    }

    /// More would take too long to hash: a larger file is given by its entry in `siblings`.
    private static let largestGenerated = 256 << 20

    /// The files in the order of `siblings`, then the others by path. Content that is given goes before what `siblings`
    /// says of that file.
    func hubFiles() throws -> [HubFile] {
        var given: [String: HubFile] = [:]
        if let directory { for file in try Self.files(in: directory) { given[file.path] = file } }
        for (path, size) in generated ?? [:] {
            guard (0...Self.largestGenerated).contains(size.size) else {
                throw HubError(description: "\(path): only up to \(Self.largestGenerated) bytes are generated")
            }
            given[path] = .generated(path, size: size.size, variant: size.variant)
        }
        for (path, text) in files ?? [:] { given[path] = .text(path, text) }
        let listed = (info?["siblings"]?.elements ?? []).compactMap(HubFile.init(listed:))
        let others = given.keys.filter { path in !listed.contains { $0.path == path } }.sorted()
        return listed.map { given[$0.path] ?? $0 } + others.compactMap { given[$0] }
    }

    private static func files(in directory: String) throws -> [HubFile] {
        guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: directory) else {
            throw HubError(description: "\(directory) is not a folder that can be read")
        }
        return try paths.compactMap { path in
            let place = "\(directory)/\(path)"
            var isDirectory = false
            guard FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory), !isDirectory else {
                return nil
            }
            return try HubFile.local(path, at: place)
        }
    }

    /// The repository with this commit added. The commits and revisions that it had stay.
    func repository(id: String, files: [HubFile], replacing old: HubRepository?) throws -> HubRepository {
        var repository = HubRepository(id: id)
        for commit in old?.commits.values.map({ $0 }) ?? [] { repository.add(commit) }
        for (name, sha) in old?.revisions ?? [:] { _ = repository.point(name, at: sha) }
        repository.gated = gated ?? info?["gated"] ?? .bool(false)
        repository.isAccessGranted = accessGranted ?? false
        repository.isPrivate = isPrivate ?? (info?["private"] == .bool(true))
        repository.renamedTo = renamedTo
        behaviour?.apply(to: &repository.behaviour)
        let added = try newCommit(files: files, in: repository)
        repository.add(added)
        for (name, sha) in revisions ?? ["main": added.sha] {
            guard repository.point(name, at: sha) else {
                throw HubError(description: "revision \(name): there is no commit \(sha)")
            }
        }
        if repository.revisions["main"] == nil { _ = repository.point("main", at: added.sha) }
        return repository
    }

    /// A sha that names other content already is not taken again: as in git, other content is another commit.
    private func newCommit(files: [HubFile], in repository: HubRepository) throws -> HubCommit {
        var fields = info ?? [:]
        fields["siblings"] = nil
        fields["sha"] = nil
        if let commit {
            guard Self.isSHA(commit) else { throw HubError(description: "a commit has 40 hexadecimal digits") }
            return HubCommit(sha: commit, info: fields, files: files)
        }
        if let sha = info?["sha"]?.string, Self.isSHA(sha) {
            let commit = HubCommit(sha: sha, info: fields, files: files)
            if (repository.commits[sha] ?? commit) == commit { return commit }
        }
        var hash = Insecure.SHA1()
        hash.update(data: JSONValue.object(JSONObject(fields)).bytes)
        for file in files { hash.update(data: Array("\(file.path) \(file.etag) \(file.size)\n".utf8)) }
        return HubCommit(sha: hash.finalize().hexadecimal, info: fields, files: files)
    }

    private static func isSHA(_ text: String) -> Bool {
        text.utf8.count == 40 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }
}
