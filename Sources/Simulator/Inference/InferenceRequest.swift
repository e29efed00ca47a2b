import Conventions
import Crypto
import HTTPTypes
import JSON
import NIOCore

/// What a client wants of a server that generates. Fields of no use to a simulated server are left alone.
struct InferenceRequest: Sendable {
    /// Of the whole body.
    static let bodyLimit = 64 << 20
    /// Of a body whose conversation is looked at: of a longer one only what stands beside it.
    private static let conversationLimit = 1 << 20
    /// Of one member. A longer one is left out.
    private static let memberLimit = 1 << 20

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

    /// Reads the body. The files of a form are not kept.
    static func read(_ request: Request, for route: InferenceRoute) async throws -> Received {
        var hash = SHA256()
        var bytes = 0
        var form = request.headers[.contentType].flatMap { MultipartFields(contentType: $0) }
        var whole = ByteBuffer()
        for try await buffer in request.body {
            bytes += buffer.readableBytes
            guard bytes <= bodyLimit else { return Received(bytes: bytes, request: .failure(.tooLarge)) }
            buffer.withUnsafeReadableBytes { part in
                hash.update(bufferPointer: part)
                form?.read(part)
            }
            if form == nil { whole.writeImmutableBuffer(buffer) }
        }
        return Received(
            bytes: bytes, digest: hash.finalize().hexadecimal,
            request: form.map(result(form:)) ?? result(route, body: whole))
    }

    private static func result(form: MultipartFields) -> Result<InferenceRequest, Refusal> {
        InferenceRequest(form: form).map { .success($0) } ?? .failure(.malformed)
    }

    private static func result(
        _ route: InferenceRoute, body: ByteBuffer
    ) -> Result<InferenceRequest, Refusal> {
        do throws(InvalidValue) {
            let request = try InferenceRequest(route, body)
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

    /// nil if the body is not a JSON object.
    private init?(_ route: InferenceRoute, _ bytes: ByteBuffer) throws(InvalidValue) {
        let names = route == .completions ? Self.names.union(["prompt"]) : Self.names
        guard let body = Self.members(names, of: bytes) else { return nil }
        model = body["model"].string
        streams = body["stream"] == .bool(true)
        includesUsage = body["stream_options"]["include_usage"] == .bool(true)
        ignoresEnd = body["ignore_eos"] == .bool(true)
        let values = RequestValues(body)
        limit = try values.limit()
        choices = try values.choices()
        stops = try values.stops()
        inputs = body["input"].array?.count ?? 1
        documents = body["documents"].array?.map { ($0.string ?? $0["text"].string) ?? "" } ?? []
        guard route.canStream else { return }
        try values.checkTheRest()
        format = try AnswerFormat(route, body)
        guard route != .completions else { return }
        toolUse = try ToolUse(tools: body["tools"], choice: body["tool_choice"])
        if toolUse.choice != .none { conversation = Self.conversation(bytes) }
    }

    private static func conversation(_ bytes: ByteBuffer) -> Conversation {
        guard bytes.readableBytes <= conversationLimit, let body = members(["messages", "input"], of: bytes) else {
            return .unknown
        }
        return Conversation(messages: body["messages"].array ?? body["input"].elements)
    }

    /// The members of a JSON object that are wanted; nil if the body is no object. The others are passed over: a request
    /// may carry pictures of many megabytes beside its model's name.
    static func members(_ names: Set<String>, of body: ByteBuffer) -> JSONValue? {
        body.withUnsafeReadableBytes { bytes in
            var scanner = JSONKeyScanner(bytes)
            var object = JSONObject()
            do throws(JSONProblem) {
                while let member = try scanner.next() {
                    let key = String(decoding: bytes[member.key], as: UTF8.self)
                    guard member.value.count <= memberLimit, names.contains(key) else { continue }
                    object[key] = try JSONReader.read(UnsafeRawBufferPointer(rebasing: bytes[member.value]))
                }
            } catch {
                return nil
            }
            return .object(object)
        }
    }

    /// Of the members that are looked at.
    private static let names: Set = [
        "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "max_output_tokens", "tools",
        "tool_choice", "parallel_tool_calls", "input", "documents", "n", "stop", "stop_sequences", "ignore_eos",
        "response_format", "text", "output_format", "output_config", "logprobs", "top_logprobs",
    ]
}
