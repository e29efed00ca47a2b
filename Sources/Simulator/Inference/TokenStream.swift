/// An answer as server-sent events, token by token, as each API has it.
///
/// Each token's event also has `sequence` (0, 1, …) and `sent_at` (µs since 1970), so that a client can tell how late it
/// came and whether one is missing.
struct TokenStream: Sendable {
    let route: InferenceRoute
    let frame: AnswerFrame
    let generation: Generation
    /// How many events have a token: those of all choices.
    let tokens: Int
    /// In JSON: the tokens as far as they do not repeat themselves.
    private let words: [String]

    init(_ route: InferenceRoute, _ frame: AnswerFrame, _ generation: Generation) {
        self.route = route
        self.frame = frame
        self.generation = generation
        tokens = generation.tokens * frame.choices
        words = generation.round.map(quoted)
    }

    /// The events before the first token. Anthropic and OpenAI's responses announce what comes.
    var opening: String {
        switch route {
        case .messages: messageOpening
        case .responses: responseOpening
        default: ""
        }
    }

    /// - Parameter time: µs since 1970
    func token(_ sequence: Int, sentAt time: Int64) -> String {
        // Each token comes once for each choice.
        let (token, choice) =
            frame.choices == 1 ? (sequence, 0) : sequence.quotientAndRemainder(dividingBy: frame.choices)
        let word = words[token % words.count]
        let marks = #""sent_at":\#(time),"sequence":\#(sequence)"#
        switch route {
        case .messages: return messageToken(word, marks)
        case .responses: return responseToken(sequence, word, marks)
        case .completions:
            return chunk(#"{"index":\#(choice),"text":\#(word),"finish_reason":\#(finish(token))}"#, marks)
        default:
            let delta = chatDelta(token, choice, word)
            return chunk(#"{"index":\#(choice),"delta":\#(delta),"finish_reason":\#(finish(token))}"#, marks)
        }
    }

    /// The events after the last token.
    var closing: String {
        switch route {
        case .messages: return messageClosing
        case .responses: return responseClosing
        default:
            // Without any token there has been no chunk that could say why.
            let last =
                tokens > 0
                ? ""
                : (0..<frame.choices).map { choice in
                    let content = route == .chat ? #""delta":{}"# : #""text":"""#
                    return chunk(#"{"index":\#(choice),\#(content),"finish_reason":\#(finish(-1))}"#, nil)
                }.joined()
            let usage = frame.includesUsage ? chunk(nil, #""usage":\#(frame.usage(generation.tokens))"#) : ""
            return last + usage + "data: [DONE]\n\n"
        }
    }

    private func chatDelta(_ token: Int, _ choice: Int, _ word: String) -> String {
        let role = token == 0 ? #""role":"assistant","# : ""
        guard let tool = generation.tool else { return #"{\#(role)"content":\#(word)}"# }
        guard token == 0 else { return #"{"tool_calls":[{"index":0,"function":{"arguments":\#(word)}}]}"# }
        return #"{\#(role)"content":null,"tool_calls":[{"index":0,"id":"\#(frame.callID(choice))","type":"function","#
            + #""function":{"name":\#(quoted(tool)),"arguments":""}}]}"#
    }

    private func finish(_ token: Int) -> String {
        token + 1 == generation.tokens || tokens == 0 ? #""\#(generation.finishReason)""# : "null"
    }

    private func chunk(_ choice: String?, _ more: String?) -> String {
        let (id, object) = route == .chat ? ("chatcmpl-", "chat.completion.chunk") : ("cmpl-", "text_completion")
        return
            #"data: {"id":"\#(id)\#(frame.id)","object":"\#(object)","created":\#(frame.now),"model":\#(frame.model),"#
            + #""choices":[\#(choice ?? "")]\#(more.map { "," + $0 } ?? "")}"# + "\n\n"
    }

    static func event(_ name: String, _ members: String?) -> String {
        "event: \(name)\ndata: {\"type\":\"\(name)\"\(members.map { "," + $0 } ?? "")}\n\n"
    }
}
