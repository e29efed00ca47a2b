/// The events of Anthropic's messages.
extension TokenStream {
    var messageOpening: String {
        let start = frame.message(content: "", stop: #""stop_reason":null,"stop_sequence":null"#, tokens: 0)
        let block = generation.block(frame, text: "", input: "{}")
        return Self.event("message_start", #""message":\#(start)"#)
            + Self.event("content_block_start", #""index":0,"content_block":\#(block)"#)
            + Self.event("ping", nil)
    }

    func messageToken(_ word: String, _ marks: String) -> String {
        let delta =
            generation.tool == nil
            ? #"{"type":"text_delta","text":\#(word)}"# : #"{"type":"input_json_delta","partial_json":\#(word)}"#
        return Self.event("content_block_delta", #""index":0,"delta":\#(delta),\#(marks)"#)
    }

    var messageClosing: String {
        Self.event("content_block_stop", #""index":0"#)
            + Self.event(
                "message_delta",
                #""delta":{\#(generation.stopMembers)},"usage":{"output_tokens":\#(generation.tokens)}"#)
            + Self.event("message_stop", nil)
    }
}

/// The events of OpenAI's responses, which are numbered.
extension TokenStream {
    /// How many come before the first token.
    private var openingEvents: Int { generation.tool == nil ? 4 : 2 }

    private static func event(_ name: String, _ number: Int, _ members: String) -> String {
        event(name, #""sequence_number":\#(number),\#(members)"#)
    }

    private var itemID: String {
        #""item_id":"\#(generation.tool == nil ? "msg" : "fc")_\#(frame.id)","output_index":0"#
    }

    private func added(_ number: Int, _ more: String = "") -> String {
        let item = generation.item(frame, status: "in_progress", text: nil)
        return Self.event("response.output_item.added", number, #""output_index":0,"item":\#(item)\#(more)"#)
    }

    var responseOpening: String {
        let response = #""response":\#(frame.response(status: "in_progress", output: "", tokens: 0))"#
        let start = Self.event("response.created", 0, response) + Self.event("response.in_progress", 1, response)
        guard generation.tool == nil else { return start }
        return start + added(2)
            + Self.event(
                "response.content_part.added", 3, #"\#(itemID),"content_index":0,"part":\#(Generation.part(""))"#)
    }

    func responseToken(_ sequence: Int, _ word: String, _ marks: String) -> String {
        let number = openingEvents + sequence
        if generation.tool == nil {
            return Self.event(
                "response.output_text.delta", number,
                #"\#(itemID),"content_index":0,"delta":\#(word),"logprobs":[],\#(marks)"#)
        }
        // The first token is the tool's name, and that is in the item.
        guard sequence > 0 else { return added(number, "," + marks) }
        return Self.event(
            "response.function_call_arguments.delta", number, #"\#(itemID),"delta":\#(word),\#(marks)"#)
    }

    var responseClosing: String {
        let text = generation.text
        let status = generation.ending == .limit ? "incomplete" : "completed"
        let item = generation.item(frame, status: status, text: text)
        var number = openingEvents + tokens
        var events = ""
        func add(_ name: String, _ members: String) {
            events += Self.event(name, number, members)
            number += 1
        }
        if let tool = generation.tool {
            add(
                "response.function_call_arguments.done",
                #"\#(itemID),"name":\#(quoted(tool)),"arguments":\#(quoted(text))"#)
        } else {
            let place = #"\#(itemID),"content_index":0"#
            add("response.output_text.done", #"\#(place),"text":\#(quoted(text)),"logprobs":[]"#)
            add("response.content_part.done", #"\#(place),"part":\#(Generation.part(text))"#)
        }
        add("response.output_item.done", #""output_index":0,"item":\#(item)"#)
        let response = frame.response(status: status, output: item, tokens: generation.tokens)
        add("response.\(status)", #""response":\#(response)"#)
        return events
    }
}
