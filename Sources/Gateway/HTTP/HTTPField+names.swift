import Catalog
import HTTPTypes

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-Id")!
    static let apiKey = HTTPField.Name("X-API-Key")!
    /// What Azure's OpenAI clients send their key in.
    static let azureAPIKey = HTTPField.Name("api-key")!
    /// `Host` of HTTP/1.1, which HTTPTypes knows only as a pseudo field.
    static let hostField = HTTPField.Name("Host")!
    /// What Anthropic's clients send with each request.
    static let anthropicVersion = HTTPField.Name("anthropic-version")!
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    static let prefer = HTTPField.Name("Prefer")!
    static let catalogVersion = HTTPField.Name("X-Catalog-Version")!
    static let catalogAge = HTTPField.Name("X-Catalog-Age")!
    static let traceParent = HTTPField.Name(TraceContext.parentHeader)!
    static let traceState = HTTPField.Name(TraceContext.stateHeader)!
}

extension TraceContext {
    /// nil if a request names no trace, or two of them.
    init?(_ headers: RequestHeaders) {
        self.init(parent: headers[.traceParent], state: headers[.traceState])
    }
}
