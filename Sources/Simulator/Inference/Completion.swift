/// What a simulated server generates: a greeting, of which each word is a token.
struct Completion: Sendable, Hashable {
    let words: [String]
    /// Whether the limit ended it.
    let isCut: Bool
    /// In place of any text: the tool that is called, without arguments.
    let tool: String?

    /// - Parameter limit: of tokens
    init(endpoint: String, limit: Int, tool: String? = nil) {
        let all = ["Hello", "from"] + endpoint.split(separator: " ").map(String.init)
        words = tool == nil ? Array(all.prefix(limit)) : []
        isCut = tool == nil && words.count < all.count
        self.tool = tool
    }

    private init() {
        words = []
        isCut = false
        tool = nil
    }

    /// Without any text: what a server says that cannot generate and does not know it.
    static let empty = Completion()

    var text: String { words.joined(separator: " ") }
    private var tokens: Int { tool == nil ? words.count : 1 }

    /// As OpenAI's chat completions have it.
    func chat(model: String, now: Int64) -> String {
        let call = tool.map { #","tool_calls":[\#(Self.call($0))]"# } ?? ""
        let reason = tool == nil ? (isCut ? "length" : "stop") : "tool_calls"
        return #"{"id":"chatcmpl-simulated","object":"chat.completion","created":\#(now),"model":\#(quoted(model)),"#
            + #""choices":[{"index":0,"message":{"role":"assistant","#
            + #""content":\#(tool == nil ? quoted(text) : "null")\#(call)},"#
            + #""logprobs":null,"finish_reason":"\#(reason)"}],"usage":\#(Self.usage(tokens))}"#
    }

    static func call(_ tool: String) -> String {
        #"{"id":"call_simulated","type":"function","function":{"name":\#(quoted(tool)),"arguments":"{}"}}"#
    }

    static func usage(_ tokens: Int) -> String {
        #"{"prompt_tokens":1,"completion_tokens":\#(tokens),"total_tokens":\#(tokens + 1)}"#
    }

    /// As OpenAI's older text completions have it.
    func text(model: String, now: Int64) -> String {
        #"{"id":"cmpl-simulated","object":"text_completion","created":\#(now),"model":\#(quoted(model)),"#
            + #""choices":[{"index":0,"text":\#(quoted(text)),"logprobs":null,"#
            + #""finish_reason":"\#(isCut ? "length" : "stop")"}],"usage":\#(Self.usage(tokens))}"#
    }

    /// As OpenAI's responses have it.
    func response(model: String, now: Int64) -> String {
        let output =
            if let tool {
                #"{"type":"function_call","id":"fc_simulated","call_id":"call_simulated","status":"completed","#
                    + #""name":\#(quoted(tool)),"arguments":"{}"}"#
            } else {
                #"{"type":"message","id":"msg_simulated","status":"completed","role":"assistant","#
                    + #""content":[{"type":"output_text","text":\#(quoted(text)),"annotations":[]}]}"#
            }
        return Self.response(
            model: model, now: now, status: isCut ? "incomplete" : "completed", output: output, tokens: tokens)
    }

    static func response(model: String, now: Int64, status: String, output: String, tokens: Int) -> String {
        #"{"id":"resp_simulated","object":"response","created_at":\#(now),"status":"\#(status)","#
            + #""model":\#(quoted(model)),"output":[\#(output)],"#
            + #""usage":{"input_tokens":1,"output_tokens":\#(tokens),"total_tokens":\#(tokens + 1)}}"#
    }

    /// As Anthropic's messages have it.
    func message(model: String) -> String {
        let content =
            if let tool {
                #"{"type":"tool_use","id":"toolu_simulated","name":\#(quoted(tool)),"input":{}}"#
            } else {
                #"{"type":"text","text":\#(quoted(text))}"#
            }
        let reason = tool == nil ? (isCut ? "max_tokens" : "end_turn") : "tool_use"
        return Self.message(model: model, content: content, stopReason: quoted(reason), tokens: tokens)
    }

    static func message(model: String, content: String, stopReason: String, tokens: Int) -> String {
        #"{"id":"msg_simulated","type":"message","role":"assistant","model":\#(quoted(model)),"#
            + #""content":[\#(content)],"stop_reason":\#(stopReason),"stop_sequence":null,"#
            + #""usage":{"input_tokens":1,"output_tokens":\#(tokens)}}"#
    }
}
