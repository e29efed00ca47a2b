import Catalog
import HTTPTypes

/// A route of inference. Its path is the endpoint's path as well.
struct InferencePath: Sendable, Hashable {
    /// What says where a request goes.
    enum Subject: Sendable, Hashable {
        /// The model that the body names.
        case model
        /// A response that an endpoint keeps. The request names no model, and its body is not read.
        case storedResponse(id: String)
    }

    /// Whether a request may be sent to another endpoint after one took it and closed the connection in silence.
    private enum Repetition: Sendable, Hashable {
        case never
        case always
        case unlessStored
    }

    let path: String
    let subject: Subject
    let dialect: EventDialect
    /// Files are sent as forms; everything else is JSON.
    let takesForms: Bool
    let methods: [HTTPRequest.Method]
    private let repetition: Repetition

    private static let exact: [String: (dialect: EventDialect, repetition: Repetition)] = [
        "/v1/chat/completions": (.openAI, .always),
        "/v1/completions": (.openAI, .always),
        "/v1/embeddings": (.openAI, .always),
        "/v1/moderations": (.openAI, .never),
        "/v1/responses": (.responses, .unlessStored),
        "/v1/responses/compact": (.responses, .unlessStored),
        "/v1/messages": (.anthropic, .always),
        "/v1/messages/count_tokens": (.anthropic, .always),
        "/rerank": (.openAI, .always),
        "/v1/rerank": (.openAI, .always),
        "/v2/rerank": (.openAI, .always),
        "/v1/reranking": (.openAI, .always),
        "/score": (.openAI, .always),
        "/v1/score": (.openAI, .always),
        "/pooling": (.openAI, .never),
        "/classify": (.openAI, .never),
        "/tokenize": (.openAI, .never),
        "/detokenize": (.openAI, .never),
        "/api/chat": (.ollama, .always),
        "/api/generate": (.ollama, .always),
        "/api/embed": (.ollama, .always),
        "/api/embeddings": (.ollama, .always),
    ]

    /// `path` without the query. nil for a path that is none. A trailing slash is ignored.
    init?(_ path: String) {
        let path = path.utf8.last == UInt8(ascii: "/") ? String(path.dropLast()) : path
        self.path = path
        if let (dialect, repetition) = Self.exact[path] {
            (subject, takesForms, methods) = (.model, false, [.post])
            (self.dialect, self.repetition) = (dialect, repetition)
        } else if ["/v1/audio/", "/v1/images/"].contains(where: { Self.words(of: path, below: $0) != nil }) {
            (subject, takesForms, methods) = (.model, true, [.post])
            (dialect, repetition) = (.openAI, .never)
        } else if let (id, methods) = Self.stored(path) {
            (subject, takesForms, self.methods) = (.storedResponse(id: id), false, methods)
            (dialect, repetition) = (.responses, .never)
        } else {
            return nil
        }
    }

    /// The only kind of endpoint that has the route; nil: all kinds may.
    var endpointKind: EndpointKind? { dialect == .ollama ? .ollama : nil }

    /// The route of OpenAI's API that does the same as a route of Ollama's.
    var openAICounterpart: String? {
        switch path {
        case "/api/chat": "/v1/chat/completions"
        case "/api/generate": "/v1/completions"
        case "/api/embed", "/api/embeddings": "/v1/embeddings"
        default: nil
        }
    }

    /// By the table of retries in ARCHITECTURE.md: a request that kills a server must not kill three, and one whose effect
    /// stays must not have it twice.
    func mayRepeatAfterSilence(_ body: InferenceBody) -> Bool {
        switch repetition {
        case .never: false
        case .always: true
        case .unlessStored: !body.usesStoredState
        }
    }

    /// `/v1/responses/{id}` and below. The only request below it that changes something is `cancel`: a POST to the id
    /// itself could name a model, which nobody would have checked.
    private static func stored(_ path: String) -> (id: String, methods: [HTTPRequest.Method])? {
        guard let words = words(of: path, below: "/v1/responses/", mayBeUpper: true), let id = words.first,
            // OpenAI counts the tokens of a body there, which names a model.
            id != "input_tokens", id != "compact"
        else { return nil }
        switch words.count {
        case 1: return (id, [.get, .delete])
        case 2: return (id, [words[1] == "cancel" ? .post : .get])
        default: return nil
        }
    }

    /// The parts of what follows `prefix`. nil unless they are plain words: nothing that the endpoint could resolve to
    /// another of its paths.
    private static func words(of path: String, below prefix: String, mayBeUpper: Bool = false) -> [String]? {
        guard path.utf8.count <= 256, path.utf8.starts(with: prefix.utf8) else { return nil }
        let words = path.utf8.dropFirst(prefix.utf8.count)
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPlain = words.allSatisfy { word in
            !word.isEmpty
                && word.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: mayBeUpper && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    }
                }
        }
        return isPlain ? words.map { String(decoding: $0, as: UTF8.self) } : nil
    }
}
