/// What a simulated server generates for: the paths of OpenAI's API, of Anthropic's messages, and of rerankers.
enum InferenceRoute: String, Sendable, Hashable, CaseIterable {
    case chat = "/v1/chat/completions"
    case completions = "/v1/completions"
    case embeddings = "/v1/embeddings"
    case responses = "/v1/responses"
    case rerank = "/v1/rerank"
    case messages = "/v1/messages"
    case transcriptions = "/v1/audio/transcriptions"
    case translations = "/v1/audio/translations"
    case speech = "/v1/audio/speech"
    case images = "/v1/images/generations"
    case imageEdits = "/v1/images/edits"

    var canStream: Bool {
        switch self {
        case .chat, .completions, .responses, .messages: true
        default: false
        }
    }
}
