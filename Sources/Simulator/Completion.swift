import FoundationEssentials

/// What a client wants of `POST /v1/chat/completions`. Fields of no use to a simulated server are left alone.
struct CompletionRequest: Sendable, Decodable {
    var model: String?
    private var maxTokens: Int?
    private var maxCompletionTokens: Int?

    enum CodingKeys: String, CodingKey {
        case model
        case maxTokens = "max_tokens"
        case maxCompletionTokens = "max_completion_tokens"
    }

    /// How many tokens the answer may have; the newer of OpenAI's two names goes first.
    var limit: Int { max(0, maxCompletionTokens ?? maxTokens ?? .max) }
}

/// What a simulated server generates: a greeting, of which each word is a token.
struct Completion: Sendable, Hashable {
    let model: String
    let words: [String]
    /// Whether the limit ended it.
    let isCut: Bool

    init(model: String, endpoint: String, limit: Int) {
        let all = ["Hello", "from"] + endpoint.split(separator: " ").map(String.init)
        self.model = model
        words = Array(all.prefix(limit))
        isCut = words.count < all.count
    }

    private init(model: String, words: [String]) {
        self.model = model
        self.words = words
        isCut = false
    }

    /// Without any text: what a server says that cannot generate and does not know it.
    static func empty(model: String) -> Completion { Completion(model: model, words: []) }

    /// The answer as a whole, as OpenAI's API has it.
    func json(now: Int64) -> String {
        #"{"id":"chatcmpl-simulated","object":"chat.completion","created":\#(now),"model":\#(quoted(model)),"#
            + #""choices":[{"index":0,"message":{"role":"assistant","content":\#(quoted(words.joined(separator: " ")))},"#
            + #""logprobs":null,"finish_reason":"\#(isCut ? "length" : "stop")"}],"#
            + #""usage":{"prompt_tokens":1,"completion_tokens":\#(words.count),"total_tokens":\#(words.count + 1)}}"#
    }
}

extension Answer {
    static let completionPath = "/v1/chat/completions"

    /// The answer to a chat completion, the same of every kind of server.
    static func completion(of endpoint: SimulatedEndpoint, body: String, now: Int64) -> Answer {
        let request: CompletionRequest
        do {
            request = try JSONDecoder().decode(CompletionRequest.self, from: Data(body.utf8))
        } catch {
            return openAIError("The body is not a chat completion request.", code: nil, status: 400)
        }
        guard let model = request.model, endpoint.models.contains(where: { $0.id == model }) else {
            return openAIError(
                "The model `\(request.model ?? "")` does not exist.", code: "model_not_found", param: "model",
                status: 404)
        }
        switch endpoint.behaviour.completionFault {
        case .none, .hang:
            return json(Completion(model: model, endpoint: endpoint.name, limit: request.limit).json(now: now))
        case .error: return openAIError("The engine is dead.", code: "500", type: "InternalServerError", status: 500)
        case .html: return loginPage
        case .empty: return json(Completion.empty(model: model).json(now: now))
        }
    }

    private static func openAIError(
        _ message: String, code: String?, type: String = "invalid_request_error", param: String? = nil, status: Int
    ) -> Answer {
        json(
            #"{"error":{"message":\#(quoted(message)),"type":\#(quoted(type)),"param":\#(param.map(quoted) ?? "null"),"#
                + #""code":\#(code.map(quoted) ?? "null")}}"#, status: status)
    }
}
