import Catalog
import HTTPTypes
import JSON

/// The list of models as clients of Anthropic's API expect it (its reference, "List Models"). They are known by the header
/// `anthropic-version`, which that API requires.
enum AnthropicModels {
    static let defaultLimit = 20
    static let limits = 1...1000

    static func isWanted(by request: Request) -> Bool { request.headers[.anthropicVersion] != nil }

    /// Which page a query asks for.
    struct PageQuery {
        let place: ModelPage.Place
        let limit: Int

        /// Throws 400 `invalid_page`.
        init(_ query: Query) throws(HTTPFailure) {
            limit = try query.first("limit").map(Self.limit) ?? defaultLimit
            let after = query.first("after_id")
            let before = query.first("before_id")
            guard after == nil || before == nil else {
                throw .badRequest(
                    "invalid_page", "Send after_id or before_id, not both: a page has one direction.",
                    param: "before_id")
            }
            place = after.map { .after(ModelID($0)) } ?? before.map { .before(ModelID($0)) } ?? .start
        }

        private static func limit(_ text: String) throws(HTTPFailure) -> Int {
            guard text.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let number = Int(text), limits.contains(number) else {
                throw .badRequest(
                    "invalid_page", "limit must be a whole number from \(limits.lowerBound) to \(limits.upperBound).",
                    param: "limit")
            }
            return number
        }
    }

    static func encoded(_ page: ModelPage) -> [UInt8] {
        var writer = JSONWriter()
        var clock = Clock()
        writer.object { writer in
            writer.field("data", objects: Array(page.models)) { writer, model in write(model, into: &writer, &clock) }
            writer.field("first_id", page.models.first?.id.value)
            writer.field("has_more", page.hasMore)
            writer.field("last_id", page.models.last?.id.value)
        }
        return writer.bytes
    }

    static func encoded(_ model: ListedModel) -> [UInt8] {
        var writer = JSONWriter()
        var clock = Clock()
        writer.object { write(model, into: &$0, &clock) }
        return writer.bytes
    }

    /// Servers give no name beside the id, so the id is the name to display.
    private static func write(_ model: ListedModel, into writer: inout JSONWriter, _ clock: inout Clock) {
        writer.field("type", "model")
        writer.field("id", model.id.value)
        writer.field("display_name", model.id.value)
        writer.field("created_at", clock.text(seconds: model.created))
    }

    /// Models of one endpoint were mostly seen first in the same second, and formatting a time takes a microsecond.
    private struct Clock {
        private var last: (seconds: Int64, text: String)?

        mutating func text(seconds: Int64) -> String {
            if let last, last.seconds == seconds { return last.text }
            let text = Timestamp.text(seconds: seconds)
            last = (seconds, text)
            return text
        }
    }
}
