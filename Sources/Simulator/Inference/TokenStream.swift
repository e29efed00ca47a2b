/// An answer as server-sent events, token by token, as each API has it.
///
/// Each token's event also has `sequence` (0, 1, …) and `sent_at` (µs since 1970), so that a client can tell how late it
/// came and whether one is missing.
struct TokenStream: Sendable {
    static let defaultTokens = 16
    static let mostTokens = 100_000

    let route: InferenceRoute
    let model: String
    let tokens: Int
    private let isCut: Bool
    private let includesUsage: Bool
    private let tool: String?
    private let words: [String]
    private let now: Int64

    /// - Parameters:
    ///   - chunkBytes: length of each token's text; 0 for words
    ///   - now: seconds since 1970
    init(
        _ route: InferenceRoute, request: InferenceRequest, model: String, endpoint: String, chunkBytes: Int,
        isEmpty: Bool, now: Int64
    ) {
        self.route = route
        self.model = model
        self.now = now
        includesUsage = request.includesUsage
        tool = isEmpty || route == .completions ? nil : request.forcedTool
        isCut = request.limit != nil
        tokens = isEmpty ? 0 : tool == nil ? min(request.limit ?? Self.defaultTokens, Self.mostTokens) : 1
        let said = ["Hello", " from"] + endpoint.split(separator: " ").map { " " + $0 }
        words = (chunkBytes > 0 ? [String(repeating: "x", count: chunkBytes)] : said).map(quoted)
    }

    /// The events before the first token. Anthropic and OpenAI's responses announce what comes.
    var opening: String {
        switch route {
        case .messages:
            let start = Completion.message(model: model, content: "", stopReason: "null", tokens: 0)
            let block =
                tool.map { #"{"type":"tool_use","id":"toolu_simulated","name":\#(quoted($0)),"input":{}}"# }
                ?? #"{"type":"text","text":""}"#
            return Self.event("message_start", #""message":\#(start)"#)
                + Self.event("content_block_start", #""index":0,"content_block":\#(block)"#)
                + Self.event("ping", nil)
        case .responses:
            let response = Completion.response(model: model, now: now, status: "in_progress", output: "", tokens: 0)
            return Self.event("response.created", #""response":\#(response)"#)
        default: return ""
        }
    }

    /// - Parameter time: µs since 1970
    func token(_ sequence: Int, sentAt time: Int64) -> String {
        let word = words[sequence % words.count]
        let marks = #""sent_at":\#(time),"sequence":\#(sequence)"#
        switch route {
        case .messages:
            let delta =
                tool == nil
                ? #"{"type":"text_delta","text":\#(word)}"# : #"{"type":"input_json_delta","partial_json":"{}"}"#
            return Self.event("content_block_delta", #""index":0,"delta":\#(delta),\#(marks)"#)
        case .responses:
            if tool != nil {
                return Self.event(
                    "response.function_call_arguments.delta",
                    #""item_id":"fc_simulated","output_index":0,"delta":"{}",\#(marks)"#)
            }
            return Self.event(
                "response.output_text.delta",
                #""item_id":"msg_simulated","output_index":0,"content_index":0,"delta":\#(word),\#(marks)"#)
        case .completions:
            return chunk(#"{"index":0,"text":\#(word),"finish_reason":\#(finish(sequence))}"#, marks)
        default:
            let delta =
                tool.map { #"{"role":"assistant","tool_calls":[{"index":0,\#(Completion.call($0).dropFirst())]}"# }
                ?? #"{"content":\#(word)}"#
            return chunk(#"{"index":0,"delta":\#(delta),"finish_reason":\#(finish(sequence))}"#, marks)
        }
    }

    /// The events after the last token.
    var closing: String {
        switch route {
        case .messages:
            let reason = tool == nil ? (isCut ? "max_tokens" : "end_turn") : "tool_use"
            return Self.event("content_block_stop", #""index":0"#)
                + Self.event(
                    "message_delta",
                    #""delta":{"stop_reason":"\#(reason)","stop_sequence":null},"usage":{"output_tokens":\#(tokens)}"#)
                + Self.event("message_stop", nil)
        case .responses:
            let response = Completion.response(model: model, now: now, status: "completed", output: "", tokens: tokens)
            return Self.event("response.completed", #""response":\#(response)"#)
        default:
            // Without any token there has been no chunk that could say why.
            let last = tokens > 0 ? "" : chunk(#"{"index":0,"delta":{},"finish_reason":\#(finish(-1))}"#, nil)
            let usage = includesUsage ? chunk(nil, #""usage":\#(Completion.usage(tokens))"#) : ""
            return last + usage + "data: [DONE]\n\n"
        }
    }

    private func finish(_ sequence: Int) -> String {
        guard sequence + 1 == tokens || tokens == 0 else { return "null" }
        return tool == nil ? (isCut ? #""length""# : #""stop""#) : #""tool_calls""#
    }

    private func chunk(_ choice: String?, _ more: String?) -> String {
        let (id, object) =
            route == .chat ? ("chatcmpl-simulated", "chat.completion.chunk") : ("cmpl-simulated", "text_completion")
        return #"data: {"id":"\#(id)","object":"\#(object)","created":\#(now),"model":\#(quoted(model)),"#
            + #""choices":[\#(choice ?? "")]\#(more.map { "," + $0 } ?? "")}"# + "\n\n"
    }

    private static func event(_ name: String, _ members: String?) -> String {
        "event: \(name)\ndata: {\"type\":\"\(name)\"\(members.map { "," + $0 } ?? "")}\n\n"
    }
}
