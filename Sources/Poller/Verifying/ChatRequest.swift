import JSON

/// Body of a chat completion's request (OpenAI API reference, "Create chat completion").
struct ChatRequest: Encodable {
    struct Message: Encodable {
        let role: String
        let content: String
    }

    let model: String
    let messages = [Message(role: "user", content: "Say hello.")]
    /// The older name of `max_completion_tokens`: servers that run models themselves all know it.
    let maximumTokens = 2
    let temperature = 0
    let stream = false

    init(model: String) { self.model = model }

    enum CodingKeys: String, CodingKey {
        case model, messages, temperature, stream
        case maximumTokens = "max_tokens"
    }

    func encoded() throws -> [UInt8] { try JSONCoding.encode(self) }
}
