import JSON

/// A value that a server refuses.
struct InvalidValue: Error {
    let parameter: String
    let message: String

    /// - Parameter problem: what follows the parameter's name in a sentence
    init(_ parameter: String, _ problem: String) {
        self.parameter = parameter
        message = "`\(parameter)` \(problem)."
    }
}

/// The members of a request that are checked on each route alike.
struct RequestValues {
    private static let mostChoices = 128
    private static let mostAnswers = 2048
    private static let mostStops = 4

    private let body: JSONValue

    init(_ body: JSONValue) { self.body = body }

    private func given(_ name: String) -> JSONValue? { body[name] == .null ? nil : body[name] }

    /// The newer of OpenAI's two names goes first.
    func limit() throws(InvalidValue) -> Int? {
        for name in ["max_completion_tokens", "max_tokens", "max_output_tokens"] {
            guard let value = given(name) else { continue }
            guard let tokens = value.integer, tokens >= 1 else { throw InvalidValue(name, "must be an integer from 1") }
            return Int(tokens)
        }
        return nil
    }

    /// Of each prompt there are as many as `n` says.
    func choices() throws(InvalidValue) -> Int {
        var count = 1
        if let value = given("n") {
            guard let number = value.integer, (1...Int64(Self.mostChoices)).contains(number) else {
                throw InvalidValue("n", "must be an integer from 1 to \(Self.mostChoices)")
            }
            count = Int(number)
        }
        // A prompt that is a list of numbers is one prompt in tokens.
        guard let prompts = body["prompt"].array, prompts.first?.integer == nil else { return count }
        guard !prompts.isEmpty, prompts.count * count <= Self.mostAnswers else {
            throw InvalidValue("prompt", "must ask for 1 to \(Self.mostAnswers) answers")
        }
        return prompts.count * count
    }

    func stops() throws(InvalidValue) -> [String] {
        for name in ["stop", "stop_sequences"] {
            guard let value = given(name) else { continue }
            let texts = value.array?.map(\.string) ?? [value.string]
            let isFew = name == "stop_sequences" || texts.count <= Self.mostStops
            guard isFew, texts.allSatisfy({ $0?.isEmpty == false }) else {
                let most = name == "stop" ? "up to \(Self.mostStops) " : ""
                throw InvalidValue(name, "must be a text, or a list of \(most)texts, none of them empty")
            }
            return texts.compactMap { $0 }
        }
        return []
    }

    func checkTheRest() throws(InvalidValue) {
        if let value = given("parallel_tool_calls"), value != .bool(true), value != .bool(false) {
            throw InvalidValue("parallel_tool_calls", "must be true or false")
        }
        for name in ["logprobs", "top_logprobs"] {
            if let value = given(name), value != .bool(false), value != .integer(0) || name == "logprobs" {
                throw InvalidValue(name, "cannot be given: this server does not tell probabilities")
            }
        }
    }
}

/// What the text of an answer must be.
enum AnswerFormat: Sendable {
    case text
    /// Any JSON object.
    case object
    /// JSON that the schema allows.
    case schema(JSONValue, parameter: String)

    /// Understands `response_format`, `text.format` of OpenAI's responses, and Anthropic's `output_format` and
    /// `output_config.format`.
    init(_ route: InferenceRoute, _ body: JSONValue) throws(InvalidValue) {
        let (parameter, given) =
            switch route {
            case .responses: ("text.format", body["text"]["format"])
            case .messages where body.member("output_format") != nil: ("output_format", body["output_format"])
            case .messages: ("output_config.format", body["output_config"]["format"])
            default: ("response_format", body["response_format"])
            }
        guard given != .null else {
            self = .text
            return
        }
        let schema = given["json_schema"].member("schema") ?? given.member("schema")
        switch (given["type"].string, schema) {
        case ("text", _): self = .text
        // llama.cpp takes a schema here too.
        case ("json_object", nil): self = .object
        case ("json_schema", let schema?), ("json_object", let schema?):
            guard schema.object != nil else { throw InvalidValue(parameter, "has a schema that is no object") }
            self = .schema(schema, parameter: parameter)
        case ("json_schema", nil): throw InvalidValue(parameter, "must have a schema")
        default: throw InvalidValue(parameter, "must have the type text, json_object, or json_schema")
        }
    }

    /// What a model says in this format; nil for any text.
    func answer(of endpoint: String) throws(InvalidValue) -> String? {
        switch self {
        case .text: return nil
        case .object: return #"{"answer":\#(quoted("Hello from \(endpoint)"))}"#
        case .schema(let schema, let parameter):
            do throws(SchemaExample.Unsupported) {
                return try SchemaExample.text(for: schema)
            } catch {
                throw InvalidValue(parameter, "has a schema that cannot be followed: \(error.reason)")
            }
        }
    }
}
