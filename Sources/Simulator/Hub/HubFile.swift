import Conventions
import Crypto
import FoundationEssentials
import JSON

/// A file of a repository at one commit: what the Hub says of it, and where its bytes come from.
struct HubFile: Sendable, Hashable {
    enum Content: Sendable, Hashable {
        case bytes([UInt8])
        case generated(GeneratedBytes)
        /// A file of this machine.
        case local(path: String)
    }

    let path: String
    let content: Content
    let size: Int
    /// Its entry in `siblings` with `?blobs=true`.
    let entry: JSONValue
    /// SHA-256 of a file that is kept in LFS, and otherwise the git blob's id.
    let etag: String
    let isLFS: Bool

    /// Whether its name is one that weights have: tests prove that nobody asks for these.
    var isWeights: Bool { Self.isWeights(path) }

    static func isWeights(_ path: String) -> Bool {
        let endings = [".gguf", ".safetensors", ".bin", ".pt", ".pth", ".onnx", ".ckpt", ".h5", ".msgpack"]
        return endings.contains { path.lowercased().hasSuffix($0) }
    }

    /// A small file that is kept in git itself.
    static func text(_ path: String, _ text: String) -> HubFile {
        let bytes = Array(text.utf8)
        return inGit(path, .bytes(bytes), size: bytes.count, blob: gitBlob(bytes))
    }

    /// Weights of `size` bytes that are made up, with the hash that they really have.
    static func generated(_ path: String, size: Int, variant: Int) -> HubFile {
        let bytes = GeneratedBytes(name: path, variant: variant)
        return inLFS(path, .generated(bytes), size: size, sha256: bytes.sha256(size: size))
    }

    /// A file of this machine, with its real size and hash. In LFS as the Hub has it: weights, and whatever is large.
    static func local(_ path: String, at place: String) throws -> HubFile {
        let data = try Data(contentsOf: URL(filePath: place), options: .mappedIfSafe)
        if isWeights(path) || data.count > 10 << 20 {
            return inLFS(
                path, .local(path: place), size: data.count, sha256: SHA256.hash(data: data).hexadecimal)
        }
        return inGit(path, .local(path: place), size: data.count, blob: gitBlob(data))
    }

    /// A file of which only the Hub's entry is known. Its bytes are made up, and have not the hash that the entry says.
    init?(listed entry: JSONValue) {
        guard let path = entry["rfilename"].string else { return nil }
        self.path = path
        self.entry = entry
        size = Int(entry["size"].integer ?? entry["lfs"]["size"].integer ?? 0)
        content = .generated(GeneratedBytes(name: path))
        isLFS = entry.member("lfs") != nil
        etag = entry["lfs"]["sha256"].string ?? entry["blobId"].string ?? "0"
    }

    private init(path: String, content: Content, size: Int, entry: JSONValue, etag: String, isLFS: Bool) {
        self.path = path
        self.content = content
        self.size = size
        self.entry = entry
        self.etag = etag
        self.isLFS = isLFS
    }

    private static func inGit(_ path: String, _ content: Content, size: Int, blob: String) -> HubFile {
        HubFile(
            path: path, content: content, size: size,
            entry: .object(["rfilename": .string(path), "blobId": .string(blob), "size": .integer(Int64(size))]),
            etag: blob, isLFS: false)
    }

    /// Git keeps a pointer to it, and `blobId` is the pointer's.
    private static func inLFS(_ path: String, _ content: Content, size: Int, sha256: String) -> HubFile {
        let pointer = Array(
            "version https://git-lfs.github.com/spec/v1\noid sha256:\(sha256)\nsize \(size)\n".utf8)
        let lfs: [String: JSONValue] = [
            "sha256": .string(sha256), "size": .integer(Int64(size)), "pointerSize": .integer(Int64(pointer.count)),
        ]
        let blob = gitBlob(pointer)
        return HubFile(
            path: path, content: content, size: size,
            entry: .object([
                "rfilename": .string(path), "blobId": .string(blob), "size": .integer(Int64(size)),
                "lfs": .object(JSONObject(lfs)),
            ]),
            etag: sha256, isLFS: true)
    }

    /// The id that git gives to content: SHA-1 of a head with its size, and the content itself.
    private static func gitBlob(_ content: some DataProtocol) -> String {
        var hash = Insecure.SHA1()
        hash.update(data: Array("blob \(content.count)\0".utf8))
        hash.update(data: content)
        return hash.finalize().hexadecimal
    }
}
