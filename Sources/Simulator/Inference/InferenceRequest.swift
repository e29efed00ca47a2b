import Crypto
import FoundationEssentials
import HTTPTypes
import NIOCore

/// What a client wants of a server that generates. Fields of no use to a simulated server are left alone.
struct InferenceRequest: Sendable {
    /// Of the whole body.
    static let bodyLimit = 64 << 20

    /// Why a request is not answered with what it asked for.
    enum Refusal: Error { case malformed, tooLarge }

    private(set) var model: String?
    private(set) var streams = false
    private(set) var includesUsage = false
    /// How many tokens the answer may have.
    private(set) var limit: Int?
    /// The tool that must be called.
    private(set) var forcedTool: String?
    /// Texts to embed.
    private(set) var inputs = 1
    private(set) var documents: [String] = []
    /// Bytes of the files of a form.
    private(set) var fileBytes: Int?

    private static let members = [
        "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "max_output_tokens", "tools",
        "tool_choice", "input", "documents",
    ]

    /// The body as it was, without its bytes.
    struct Received: Sendable {
        var bytes = 0
        var digest = ""
        var request: Result<InferenceRequest, Refusal>
    }

    /// Reads the body in parts, of which only what matters is kept.
    static func read(_ request: Request) async throws -> Received {
        var hash = SHA256()
        var bytes = 0
        var form = request.headers[.contentType].flatMap { MultipartFields(contentType: $0) }
        var members = TopLevelMembers(members)
        for try await buffer in request.body {
            bytes += buffer.readableBytes
            guard bytes <= bodyLimit else { return Received(bytes: bytes, request: .failure(.tooLarge)) }
            buffer.withUnsafeReadableBytes { part in
                hash.update(bufferPointer: part)
                if form == nil { members.read(part) } else { form?.read(part) }
            }
        }
        let asked = form.map(InferenceRequest.init(form:)) ?? InferenceRequest(members: members.object)
        return Received(
            bytes: bytes, digest: hash.finalize().hexadecimal,
            request: asked.map { .success($0) } ?? .failure(.malformed))
    }

    private init?(form: MultipartFields) {
        guard form.isWhole else { return nil }
        model = form.texts["model"]
        fileBytes = form.fileSizes.values.reduce(0, +)
    }

    /// Nil where the members cannot be understood.
    init?(members: [UInt8]?) {
        guard let members, let body = try? JSONDecoder().decode(JSONValue.self, from: Data(members)) else { return nil }
        model = body["model"]?.string
        streams = body["stream"] == .bool(true)
        includesUsage = body["stream_options"]?["include_usage"] == .bool(true)
        // The newer of OpenAI's two names goes first.
        let limits = ["max_completion_tokens", "max_tokens", "max_output_tokens"].compactMap { body[$0] }
        if let given = limits.first(where: { $0 != .null }) {
            guard let tokens = given.integer else { return nil }
            limit = max(0, Int(tokens))
        }
        if body["tool_choice"] == .string("required") || body["tool_choice"]?["type"] == .string("any") {
            let tool = body["tools"]?.array?.first
            forcedTool = (tool?["function"] ?? tool)?["name"]?.string
        }
        inputs = body["input"]?.array?.count ?? 1
        documents = body["documents"]?.array?.map { ($0.string ?? $0["text"]?.string) ?? "" } ?? []
    }
}
