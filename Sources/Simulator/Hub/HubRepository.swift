import JSON

/// The content of a repository at one commit.
struct HubCommit: Sendable, Hashable {
    /// 40 hexadecimal digits.
    let sha: String
    /// What the API answers, without the files and the commit.
    let info: [String: JSONValue]
    /// In the order in which the API lists them.
    let files: [HubFile]

    func file(_ path: String) -> HubFile? { files.first { $0.path == path } }
}

/// A repository of the simulated Hub.
struct HubRepository: Sendable {
    /// `org/name` in the Hub's own letter case, or a bare `name` as the oldest ones have.
    let id: String
    /// `false`, `"auto"`, or `"manual"`: metadata can be read, files only by those who were let in.
    var gated = JSONValue.bool(false)
    /// Whether a valid token may read the files of this gated repository.
    var isAccessGranted = false
    /// Without a valid token it looks as if it did not exist.
    var isPrivate = false
    /// Where every request for it is sent.
    var renamedTo: String?
    var behaviour = HubBehaviour()
    /// By their sha; none is ever forgotten.
    private(set) var commits: [String: HubCommit] = [:]
    /// Branches and tags, and the commit that each names.
    private(set) var revisions: [String: String] = [:]
    /// Laid over what the API says of any commit: downloads and likes change with no commit.
    var overrides: [String: JSONValue] = [:]

    init(id: String) { self.id = id }

    var isGated: Bool { gated != .bool(false) && gated != .null }

    /// The commit that a branch, a tag, or a sha names.
    func commit(_ revision: String) -> HubCommit? { commits[revisions[revision] ?? revision] }

    mutating func add(_ commit: HubCommit) { commits[commit.sha] = commit }

    /// False where there is no such commit.
    mutating func point(_ revision: String, at sha: String) -> Bool {
        guard commits[sha] != nil else { return false }
        revisions[revision] = sha
        return true
    }

    /// What `GET /api/models/…` answers for a commit. Given fields stay as they are; those that the Hub always has are
    /// added where they are missing.
    func answer(_ commit: HubCommit, blobs: Bool) -> JSONValue {
        var answer = commit.info.merging(overrides) { _, new in new }
        let defaults: [String: JSONValue] = [
            "id": .string(id), "modelId": .string(id), "author": .string(String(id.prefix { $0 != "/" })),
            "private": .bool(isPrivate), "disabled": .bool(false),
        ]
        answer.merge(defaults) { given, _ in given }
        answer["sha"] = .string(commit.sha)
        answer["gated"] = gated
        answer["siblings"] = .array(
            commit.files.map { blobs ? $0.entry : .object(["rfilename": .string($0.path)]) })
        return .object(JSONObject(answer))
    }
}
