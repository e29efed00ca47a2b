import JSON

/// A function that a client offers to a model.
struct Tool: Sendable {
    let name: String
    /// Of its arguments; nil if the client says nothing of them.
    let schema: JSONValue?

    /// The JSON of arguments that its schema allows.
    func arguments() throws(SchemaExample.Unsupported) -> String {
        guard let schema, schema != .null else { return "{}" }
        return try SchemaExample.text(for: schema)
    }
}

/// Which functions a model may call, or must.
struct ToolUse: Sendable {
    enum Choice: Sendable { case none, auto, required }

    struct Call: Sendable {
        let name: String
        let arguments: String
    }

    private(set) var choice = Choice.none
    private(set) var tools: [Tool] = []

    init() {}

    /// Understands the forms of OpenAI's chat and responses, and of Anthropic's messages.
    init(tools offered: JSONValue?, choice given: JSONValue?) throws(InvalidValue) {
        guard let offered, offered != .null else {
            try choose(given)
            return
        }
        guard let entries = offered.array else { throw InvalidValue("tools", "must be a list") }
        for (index, entry) in entries.enumerated() {
            // What the provider itself would do, such as a search of the web, is left out.
            guard ["function", "custom", nil].contains(entry["type"].string) else { continue }
            let function = entry.member("function") ?? entry
            let schema = function.member("parameters") ?? function.member("input_schema")
            // A custom tool of OpenAI's takes text and no arguments. Anthropic's of that type has a schema.
            guard entry["type"] != .string("custom") || schema != nil else { continue }
            guard let name = function["name"].string, !name.isEmpty else {
                throw InvalidValue("tools[\(index)]", "must have a name")
            }
            tools.append(Tool(name: name, schema: schema))
        }
        try choose(given)
    }

    private mutating func choose(_ given: JSONValue?) throws(InvalidValue) {
        guard let given, given != .null else {
            choice = tools.isEmpty ? .none : .auto
            return
        }
        let type = given.string ?? given["type"].string ?? (given.member("function") == nil ? "" : "function")
        switch type {
        case "none": choice = .none
        case "auto": choice = tools.isEmpty ? .none : .auto
        case "required", "any": choice = .required
        case "function", "tool", "custom":
            choice = .required
            let name = given["function"]["name"].string ?? given["name"].string
            try keep([name])
        case "allowed_tools":
            let allowed = given.member("allowed_tools") ?? given
            choice = allowed["mode"] == .string("required") ? .required : .auto
            try keep(allowed["tools"].elements.map { ($0.member("function") ?? $0)["name"].string })
        default: throw InvalidValue("tool_choice", "must be none, auto, required, or name one of the tools")
        }
        if choice == .required, tools.isEmpty {
            throw InvalidValue("tool_choice", "demands a call, and there are no tools that are functions")
        }
    }

    private mutating func keep(_ names: [String?]) throws(InvalidValue) {
        for name in names where !tools.contains(where: { $0.name == name }) {
            throw InvalidValue("tool_choice", "names the tool \(name ?? ""), which is not among the tools")
        }
        tools.removeAll { !names.contains($0.name) }
    }

    /// The call that a model makes now; nil if it answers.
    ///
    /// A free model calls the first tool, once for each of the user's turns. A model that must call takes the tools in
    /// turn, and the last one again and again: frameworks put the one that takes the answer at the end.
    func call(after conversation: Conversation) throws(InvalidValue) -> Call? {
        switch choice {
        case .none: return nil
        case .auto:
            guard !conversation.hasResult else { return nil }
            for tool in tools {
                // A free model may do without a tool whose arguments cannot be made.
                if let arguments = try? tool.arguments() { return Call(name: tool.name, arguments: arguments) }
            }
            return nil
        case .required:
            guard let tool = tools.first(where: { !conversation.called.contains($0.name) }) ?? tools.last else {
                return nil
            }
            do throws(SchemaExample.Unsupported) {
                return Call(name: tool.name, arguments: try tool.arguments())
            } catch {
                throw InvalidValue("tools", "has \(tool.name), whose schema cannot be followed: \(error.reason)")
            }
        }
    }
}

/// What has happened since the user's last turn.
struct Conversation: Sendable {
    /// Whether a tool's result has come.
    private(set) var hasResult = false
    /// The names of the tools that the model has called.
    private(set) var called: Set<String> = []

    init() {}

    /// - Parameter messages: of a chat, of Anthropic's messages, or the items of OpenAI's responses
    init(messages: [JSONValue]) {
        for message in messages.reversed() {
            let parts = message["content"].elements
            switch message["role"].string ?? message["type"].string {
            case "user":
                guard parts.contains(where: { $0["type"] == .string("tool_result") }) else { return }
                hasResult = true
            case "tool", "function", "function_call_output": hasResult = true
            case "function_call": note(message["name"])
            case "assistant":
                for call in message["tool_calls"].elements { note(call["function"]["name"]) }
                for part in parts where part["type"] == .string("tool_use") { note(part["name"]) }
            default: break
            }
        }
    }

    /// For a conversation that is too long to be read: whoever waits for a model's last word gets it.
    static let unknown: Conversation = {
        var conversation = Conversation()
        conversation.hasResult = true
        return conversation
    }()

    private mutating func note(_ name: JSONValue) {
        if let name = name.string { called.insert(name) }
    }
}
