import Conventions
import Crypto
import FoundationEssentials
import HTTPTypes
import NIOCore

/// What a client wants of a server that generates. Fields of no use to a simulated server are left alone.
struct InferenceRequest: Sendable {
    /// Of the whole body.
    static let bodyLimit = 64 << 20
    /// Of a body whose conversation is looked at: of a longer one only what stands beside it.
    private static let conversationLimit = 1 << 20

    /// Why a request is not answered with what it asked for.
    enum Refusal: Error {
        case malformed, tooLarge
        case invalid(InvalidValue)
    }

    private(set) var model: String?
    private(set) var streams = false
    private(set) var includesUsage = false
    /// How many tokens each choice may have.
    private(set) var limit: Int?
    /// Whether the answer goes on up to the limit, as vLLM has it.
    private(set) var ignoresEnd = false
    /// How many answers are wanted.
    private(set) var choices = 1
    /// Texts before which an answer ends.
    private(set) var stops: [String] = []
    private(set) var toolUse = ToolUse()
    private(set) var format = AnswerFormat.text
    private(set) var conversation = Conversation()
    /// Texts to embed.
    private(set) var inputs = 1
    private(set) var documents: [String] = []
    /// Bytes of the files of a form.
    private(set) var fileBytes: Int?

    /// The body as it was, without its bytes.
    struct Received: Sendable {
        var bytes = 0
        var digest = ""
        var request: Result<InferenceRequest, Refusal>
    }

    /// Reads the body in parts, of which only what matters is kept.
    static func read(_ request: Request, for route: InferenceRoute) async throws -> Received {
        var hash = SHA256()
        var bytes = 0
        var form = request.headers[.contentType].flatMap { MultipartFields(contentType: $0) }
        var members = TopLevelMembers(route == .completions ? .ofCompletions : .ofRequests)
        var parts: [ByteBuffer] = []
        for try await buffer in request.body {
            bytes += buffer.readableBytes
            guard bytes <= bodyLimit else { return Received(bytes: bytes, request: .failure(.tooLarge)) }
            if bytes <= conversationLimit { parts.append(buffer) } else { parts = [] }
            buffer.withUnsafeReadableBytes { part in
                hash.update(bufferPointer: part)
                if form == nil { members.read(part) } else { form?.read(part) }
            }
        }
        return Received(
            bytes: bytes, digest: hash.finalize().hexadecimal,
            request: form.map(result(form:)) ?? result(route, members: members.object, bodyParts: parts))
    }

    private static func result(form: MultipartFields) -> Result<InferenceRequest, Refusal> {
        InferenceRequest(form: form).map { .success($0) } ?? .failure(.malformed)
    }

    private static func result(
        _ route: InferenceRoute, members: [UInt8]?, bodyParts: [ByteBuffer]
    ) -> Result<InferenceRequest, Refusal> {
        do throws(InvalidValue) {
            let request = try InferenceRequest(route, members: members, bodyParts: bodyParts)
            return request.map { .success($0) } ?? .failure(.malformed)
        } catch {
            return .failure(.invalid(error))
        }
    }

    private init?(form: MultipartFields) {
        guard form.isWhole else { return nil }
        model = form.texts["model"]
        fileBytes = form.fileSizes.values.reduce(0, +)
    }

    /// Nil where the members cannot be understood.
    ///
    /// - Parameter bodyParts: the whole body; empty if it is too long to be read once more
    private init?(_ route: InferenceRoute, members: [UInt8]?, bodyParts: [ByteBuffer]) throws(InvalidValue) {
        guard let members, let body = try? JSONDecoder().decode(JSONValue.self, from: Data(members)) else { return nil }
        model = body["model"]?.string
        streams = body["stream"] == .bool(true)
        includesUsage = body["stream_options"]?["include_usage"] == .bool(true)
        ignoresEnd = body["ignore_eos"] == .bool(true)
        let values = RequestValues(body)
        limit = try values.limit()
        choices = try values.choices()
        stops = try values.stops()
        inputs = body["input"]?.array?.count ?? 1
        documents = body["documents"]?.array?.map { ($0.string ?? $0["text"]?.string) ?? "" } ?? []
        guard route.canStream else { return }
        try values.checkTheRest()
        format = try AnswerFormat(route, body)
        guard route != .completions else { return }
        toolUse = try ToolUse(tools: body["tools"], choice: body["tool_choice"])
        if toolUse.choice != .none { conversation = Self.conversation(bodyParts) }
    }

    private static func conversation(_ bodyParts: [ByteBuffer]) -> Conversation {
        guard !bodyParts.isEmpty else { return .unknown }
        var members = TopLevelMembers(.ofConversations)
        for part in bodyParts { part.withUnsafeReadableBytes { members.read($0) } }
        guard let object = members.object,
            let body = try? JSONDecoder().decode(JSONValue.self, from: Data(object))
        else { return .unknown }
        return Conversation(messages: body["messages"]?.array ?? body["input"]?.array ?? [])
    }
}

extension TopLevelMembers.Names {
    fileprivate static let ofRequests = TopLevelMembers.Names(requests)
    fileprivate static let ofCompletions = TopLevelMembers.Names(requests + ["prompt"])
    fileprivate static let ofConversations = TopLevelMembers.Names(["messages", "input"])

    private static let requests = [
        "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "max_output_tokens", "tools",
        "tool_choice", "parallel_tool_calls", "input", "documents", "n", "stop", "stop_sequences", "ignore_eos",
        "response_format", "text", "output_format", "output_config", "logprobs", "top_logprobs",
    ]
}
