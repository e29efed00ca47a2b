/// An answer that is not streamed, as each API has it.
extension Generation {
    /// As OpenAI's chat completions have it.
    func chat(_ frame: AnswerFrame) -> String {
        let content = tool == nil ? quoted(text) : "null"
        return choices(#"{"id":"chatcmpl-\#(frame.id)","object":"chat.completion","#, frame) { choice in
            let call = tool.map { tool in
                #","tool_calls":[{"id":"\#(frame.callID(choice))","type":"function","#
                    + #""function":{"name":\#(quoted(tool)),"arguments":\#(quoted(text))}}]"#
            }
            return #""message":{"role":"assistant","content":\#(content)\#(call ?? "")}"#
        }
    }

    /// As OpenAI's older text completions have it.
    func completion(_ frame: AnswerFrame) -> String {
        let text = quoted(text)
        return choices(#"{"id":"cmpl-\#(frame.id)","object":"text_completion","#, frame) { _ in #""text":\#(text)"# }
    }

    private func choices(_ start: String, _ frame: AnswerFrame, _ content: (Int) -> String) -> String {
        let choices = (0..<frame.choices).map { choice in
            #"{"index":\#(choice),\#(content(choice)),"logprobs":null,"finish_reason":"\#(finishReason)"}"#
        }
        return start
            + #""created":\#(frame.now),"model":\#(frame.model),"choices":[\#(choices.joined(separator: ","))],"#
            + #""usage":\#(frame.usage(tokens))}"#
    }

    var finishReason: String {
        switch ending {
        case .limit: "length"
        case .end where tool != nil: "tool_calls"
        case .end, .stop: "stop"
        }
    }

    /// As OpenAI's responses have it.
    func response(_ frame: AnswerFrame) -> String {
        let status = ending == .limit ? "incomplete" : "completed"
        return frame.response(status: status, output: item(frame, status: status, text: text), tokens: tokens)
    }

    /// The only item of a response.
    ///
    /// - Parameter text: nil before there is any
    func item(_ frame: AnswerFrame, status: String, text: String?) -> String {
        if let tool {
            return #"{"type":"function_call","id":"fc_\#(frame.id)","call_id":"\#(frame.callID(0))","#
                + #""status":"\#(status)","name":\#(quoted(tool)),"arguments":\#(quoted(text ?? ""))}"#
        }
        return #"{"type":"message","id":"msg_\#(frame.id)","status":"\#(status)","role":"assistant","#
            + #""content":[\#(text.map(Self.part) ?? "")]}"#
    }

    /// The only part of a response's message.
    static func part(_ text: String) -> String {
        #"{"type":"output_text","text":\#(quoted(text)),"annotations":[],"logprobs":[]}"#
    }

    /// As Anthropic's messages have it.
    func message(_ frame: AnswerFrame) -> String {
        // Arguments that the limit has cut are no JSON.
        let content = block(frame, text: text, input: ending == .limit ? "{}" : text)
        return frame.message(content: content, stop: stopMembers, tokens: tokens)
    }

    /// The only block of a message.
    func block(_ frame: AnswerFrame, text: String, input: String) -> String {
        guard let tool else { return #"{"type":"text","text":\#(quoted(text))}"# }
        return #"{"type":"tool_use","id":"toolu_\#(frame.id)","name":\#(quoted(tool)),"input":\#(input)}"#
    }

    /// Why a message has ended.
    var stopMembers: String {
        let (reason, text) =
            switch ending {
            case .limit: ("max_tokens", "null")
            case .end: (tool == nil ? "end_turn" : "tool_use", "null")
            case .stop(let text): ("stop_sequence", quoted(text))
            }
        return #""stop_reason":"\#(reason)","stop_sequence":\#(text)"#
    }
}
