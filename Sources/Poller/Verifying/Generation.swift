import Catalog
import JSON

/// The generation that a verification asks for, and what came of it. No I/O.
enum Generation {
    static let path = "/v1/chat/completions"

    /// A token or two, the most likely ones: as little as proves that the model runs.
    static func request(_ model: ModelID) throws -> [UInt8] {
        try ChatRequest(model: model.value).encoded()
    }

    struct Success: Sendable, Hashable {
        /// nil where the server did not say.
        var tokens: Int?
        var text: String?
    }

    /// Why there is none. The message may quote the endpoint's own, never a key.
    struct Failure: Error, Sendable, Hashable {
        var code: String
        var message: String

        init(_ code: String, _ message: String) {
            self.code = code
            self.message = message
        }
    }

    static let maximumTextLength = 40
    static let maximumMessageLength = 200

    /// A chat completion with at least one token; everything else is a failure with a code of its own.
    ///
    /// - Parameter key: taken out wherever the endpoint repeats it.
    static func read(_ answer: EndpointAnswer, key: String?) throws(Failure) -> Success {
        guard (200..<300).contains(answer.status) else { throw refusal(answer, key: key) }
        let document: JSONValue
        do throws(PollError) {
            document = try EndpointAnswer(status: 200, body: answer.body).json()
        } catch {
            throw Failure(error.code.name, error.message)
        }
        if let message = errorMessage(document) {
            throw Failure(PollError.Code.errorBody.name, cleaned(message, key: key))
        }
        guard let message = document["choices"].array?.first?["message"], message.isObject else {
            throw Failure("no_completion", "JSON, but no chat completion")
        }
        let text = ["content", "reasoning_content", "reasoning"].compactMap { message[$0].string }
            .first { !$0.isEmpty }
        let tokens = document["usage"]["completion_tokens"]
        let count = tokens.count(upTo: 1_000_000).map(Int.init)
        // Where the server counts, its count decides.
        guard count != nil || tokens.number == nil && text != nil else {
            throw Failure("no_token", "a chat completion without a single token")
        }
        return Success(
            tokens: count, text: text.map { beginning(of: redacted($0, key: key), maximumTextLength) })
    }

    /// 401 and 403 are not quoted: their messages are about keys.
    private static func refusal(_ answer: EndpointAnswer, key: String?) -> Failure {
        let status = answer.status
        let code = PollError.Code.httpStatus(status).name
        switch status {
        case 300..<400: return Failure("redirected", "HTTP \(status): redirects are not followed")
        case 401: return Failure("unauthorized", "HTTP 401: the endpoint wants an API key, or refused the one it got")
        case 403: return Failure("forbidden", "HTTP 403: the endpoint does not allow this")
        default: break
        }
        do throws(JSONProblem) {
            let message = errorMessage(try JSONReader.read(answer.body)).map { ": " + cleaned($0, key: key) } ?? ""
            return Failure(code, "HTTP \(status)\(message)")
        } catch {
            return Failure(code, "HTTP \(status)")
        }
    }

    /// As OpenAI, Ollama (`error` as a text), vLLM's older versions (`object` is `error`), and FastAPI say it.
    private static func errorMessage(_ document: JSONValue) -> String? {
        let error = document["error"]
        if let text = error["message"].string ?? error.string { return text }
        if document["object"].string == "error" { return document["message"].string ?? "an error" }
        if error.isObject { return "an error" }
        return document.member("choices") == nil ? document["detail"].string : nil
    }

    private static func cleaned(_ message: String, key: String?) -> String {
        let printable = beginning(of: redacted(message, key: key), maximumMessageLength).unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(printable)
    }

    /// Counted in Unicode scalars: one character can be made of any number of them.
    private static func beginning(of text: String, _ count: Int) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(count)))
    }

    private static func redacted(_ text: String, key: String?) -> String {
        guard let key, !key.isEmpty else { return text }
        return text.replacing(key, with: "…")
    }
}
