/// What a simulated server says, before it is put on the wire.
struct Answer: Sendable, Equatable {
    var status = 200
    var contentType = "application/json"
    var body = ""

    static func json(_ body: String, status: Int = 200) -> Answer { Answer(status: status, body: body) }
    static func text(_ body: String, status: Int = 200) -> Answer {
        Answer(status: status, contentType: "text/plain; charset=utf-8", body: body)
    }

    /// As a server of the endpoint's kind answers. The shapes are those of real servers' answers.
    ///
    /// - Parameters:
    ///   - path: without the endpoint's base path
    ///   - body: of the request
    ///   - now: seconds since 1970, for servers that say "created now"
    init(of endpoint: SimulatedEndpoint, method: String, path: String, body: String, now: Int64) {
        let request = Request(method: method, path: path, body: body, now: now)
        switch endpoint.kind {
        case .vllm: self = Self.vllm(endpoint.models, request)
        case .llamacpp: self = Self.llamacpp(endpoint.models, request)
        case .ollama: self = Self.ollama(endpoint.models, request)
        case .lmstudio: self = Self.lmstudio(endpoint.models, request)
        case .openai: self = Self.openai(endpoint, request)
        }
    }

    init(status: Int = 200, contentType: String = "application/json", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    struct Request: Sendable {
        let method: String
        let path: String
        let body: String
        let now: Int64
        var isRead: Bool { method == "GET" || method == "HEAD" }
    }

    /// The refusal of a request without the key that is required.
    static func unauthorized(_ kind: ServerKind) -> Answer {
        switch kind {
        case .vllm, .ollama, .lmstudio: json(#"{"error":"Unauthorized"}"#, status: 401)
        case .llamacpp:
            json(#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#, status: 401)
        case .openai:
            json(
                #"{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","param":null,"#
                    + #""code":"invalid_api_key"}}"#, status: 401)
        }
    }

    static let loginPage = Answer(
        contentType: "text/html; charset=utf-8",
        body: """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head>
            <body><form method="post" action="/login"><input name="username"><input name="password" type="password">
            <button type="submit">Sign in</button></form></body></html>

            """)

    static let internalError = json(#"{"error":{"message":"Internal Server Error","code":500}}"#, status: 500)
}
