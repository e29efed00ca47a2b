import HTTPTypes

/// A request to the Hub, taken apart.
struct HubRequest: Sendable {
    /// What the Hub counts requests by.
    enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case api, head, weights, other
        case smallFile = "small_file"
    }

    enum Target: Sendable, Hashable {
        case api(repository: String, revision: String)
        case file(repository: String, revision: String, path: String)
        case unknown
    }

    /// `HF_ENDPOINT` is the simulator's address with this behind it.
    static let basePath = "/hub"

    let method: String
    /// As sent, with the query.
    let uri: String
    /// The `Host` that was asked.
    let host: String
    let target: Target
    /// Whether the sizes and hashes of the files are asked for too.
    let wantsBlobs: Bool
    /// Of `Authorization: Bearer`; another scheme counts as a token too, one that is never valid.
    let token: String?

    init(_ request: Request) {
        method = request.method.rawValue
        uri = request.uri
        host = request.headers.host ?? ""
        target = Target(path: request.path.dropFirst(Self.basePath.count))
        let query = (request.query ?? "").split(separator: "&")
        wantsBlobs = query.contains { ["blobs=true", "blobs=1", "blobs=True"].contains($0) }
        token = request.headers[.authorization].map { value in
            value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst("bearer ".count)) : ""
        }
    }

    var isHead: Bool { method == "HEAD" }

    /// As it was asked for, in the client's letter case.
    var repository: String? {
        switch target {
        case .api(let repository, _), .file(let repository, _, _): repository
        case .unknown: nil
        }
    }

    var kind: Kind {
        switch target {
        case .unknown: .other
        case _ where isHead: .head
        case .api: .api
        case .file(_, _, let path): HubFile.isWeights(path) ? .weights : .smallFile
        }
    }

    /// The same request for another repository, relative to the host as the Hub's redirects are.
    func location(repository other: String) -> String {
        let area = if case .api = target { "/api/models/" } else { "/" }
        let start = Self.basePath + area
        // What stands before the repository has no percent sign, and its own parts are as many as their slashes say.
        let names = (repository ?? "").split(separator: "/").count
        let rest = uri.dropFirst(start.count).drop { $0 == "/" }
        var end = rest.startIndex
        for _ in 0..<names {
            end =
                rest[end...].dropFirst(end == rest.startIndex ? 0 : 1).firstIndex { $0 == "/" || $0 == "?" }
                ?? rest.endIndex
        }
        return start + other + rest[end...]
    }
}

extension HubRequest.Target {
    /// - Parameter path: below the base path, still encoded: a revision such as `refs%2Fpr%2F1` is one part.
    fileprivate init(path: Substring) {
        let parts = path.split(separator: "/").map { HubRequest.decode($0) }
        if parts.starts(with: ["api", "models"]) {
            self = Self.api(Array(parts.dropFirst(2)))
        } else {
            self = Self.file(parts)
        }
    }

    private static func api(_ parts: [String]) -> Self {
        switch parts.count {
        case 1: .api(repository: parts[0], revision: "main")
        case 2: .api(repository: "\(parts[0])/\(parts[1])", revision: "main")
        case 3 where parts[1] == "revision": .api(repository: parts[0], revision: parts[2])
        case 4 where parts[2] == "revision":
            .api(repository: "\(parts[0])/\(parts[1])", revision: parts[3])
        default: .unknown
        }
    }

    private static func file(_ parts: [String]) -> Self {
        guard let place = parts.firstIndex(of: "resolve"), (1...2).contains(place), parts.count > place + 2 else {
            return .unknown
        }
        return .file(
            repository: parts[..<place].joined(separator: "/"), revision: parts[place + 1],
            path: parts[(place + 2)...].joined(separator: "/"))
    }
}

extension HubRequest {
    /// Undoes percent-encoding; what is not one stays as it is.
    fileprivate static func decode(_ part: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = part.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
