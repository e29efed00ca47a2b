import NIOCore

/// Whose API a route is of: the shape of its bodies, errors, and events, and of an error inside a stream.
enum EventDialect: Sendable {
    /// OpenAI's clients raise an error if an event's data has an `error` object, whatever the event's name.
    case openAI
    /// Anthropic's clients look at the event's name, `error`, and read `error.type` and `error.message`.
    case anthropic
    /// OpenAI's event `error` of the Responses API has its fields at the top. Its clients raise an error for the
    /// `error` object, as in other streams.
    case responses
    /// Ollama's own API, which only endpoints of that kind speak. Its streams are lines of JSON, and its clients raise an
    /// error at a line with a text `error`.
    case ollama

    func event(code: String, message: String, type: String) -> ByteBuffer {
        let (code, message, type) = (Self.quoted(code), Self.quoted(message), Self.quoted(type))
        let error = "{\"message\":\(message),\"type\":\(type),\"param\":null,\"code\":\(code)}"
        return switch self {
        case .openAI: ByteBuffer(string: "data: {\"error\":\(error)}\n\n")
        case .anthropic: ByteBuffer(string: "event: error\ndata: {\"type\":\"error\",\"error\":\(error)}\n\n")
        case .responses:
            ByteBuffer(
                string: "event: error\ndata: {\"type\":\"error\",\"code\":\(code),\"message\":\(message),"
                    + "\"param\":null,\"error\":\(error)}\n\n")
        case .ollama: ByteBuffer(string: "{\"error\":\(message)}\n")
        }
    }

    /// JSON on one line: a line break in an event's data would split the event.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted.append("\\")
                quoted.unicodeScalars.append(scalar)
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                quoted.append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default:
                quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
