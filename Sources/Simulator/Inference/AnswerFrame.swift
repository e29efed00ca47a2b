/// What stands around the tokens of an answer, streamed or not.
struct AnswerFrame: Sendable {
    /// The same for the same request. Clients tell the answers and the calls of a conversation apart by it.
    let id: String
    /// In JSON.
    let model: String
    /// Seconds since 1970.
    let now: Int64
    let promptTokens: Int
    /// How many answers there are, all of them equal.
    let choices: Int
    let includesUsage: Bool

    private static let bytesOfToken = 4
    private static let idLength = 24

    init(
        _ route: InferenceRoute, _ request: InferenceRequest, model: String, body: InferenceRequest.Received, now: Int64
    ) {
        id = String(body.digest.prefix(Self.idLength))
        self.model = quoted(model)
        self.now = now
        // Nobody counts on the tokens of a simulated model: four bytes of the body are one.
        promptTokens = (body.bytes + Self.bytesOfToken - 1) / Self.bytesOfToken
        choices = route == .chat || route == .completions ? request.choices : 1
        includesUsage = request.includesUsage
    }

    func callID(_ choice: Int) -> String { "call_\(id)\(choice)" }

    /// - Parameter tokens: of each choice
    func usage(_ tokens: Int) -> String {
        let all = tokens * choices
        return #"{"prompt_tokens":\#(promptTokens),"completion_tokens":\#(all),"total_tokens":\#(promptTokens + all)}"#
    }

    /// A `response` of OpenAI's responses.
    func response(status: String, output: String, tokens: Int) -> String {
        #"{"id":"resp_\#(id)","object":"response","created_at":\#(now),"status":"\#(status)","error":null,"#
            + #""incomplete_details":\#(status == "incomplete" ? #"{"reason":"max_output_tokens"}"# : "null"),"#
            + #""model":\#(model),"output":[\#(output)],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"#
            + #""usage":{"input_tokens":\#(promptTokens),"input_tokens_details":{"cached_tokens":0},"#
            + #""output_tokens":\#(tokens),"output_tokens_details":{"reasoning_tokens":0},"#
            + #""total_tokens":\#(promptTokens + tokens)}}"#
    }

    /// A `message` of Anthropic's.
    ///
    /// - Parameter stop: the members that say why it has ended
    func message(content: String, stop: String, tokens: Int) -> String {
        #"{"id":"msg_\#(id)","type":"message","role":"assistant","model":\#(model),"content":[\#(content)],"#
            + #"\#(stop),"usage":{"input_tokens":\#(promptTokens),"output_tokens":\#(tokens)}}"#
    }
}
