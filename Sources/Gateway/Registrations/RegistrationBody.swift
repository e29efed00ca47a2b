import Catalog

/// The body of `POST /v0/models/register`, checked for form only: what a repository or a file may be called is for the
/// registrar to say, who asks the Hub.
struct RegistrationBody: Decodable {
    let request: RegistrationRequest

    private static let fields: Set = [
        "repo", "filename", "quantization", "revision", "display_name", "chat_template",
    ]

    init(from decoder: any Decoder) throws {
        let reader = try FieldReader(decoder, fields: Self.fields)
        request = RegistrationRequest(
            repo: try Self.repo(reader),
            filename: try Self.text(reader, "filename", atMost: 1024),
            quantization: try Self.text(reader, "quantization", atMost: 64),
            revision: try Self.text(reader, "revision", atMost: 255),
            displayName: try Self.text(reader, "display_name", atMost: 200),
            chatTemplate: try Self.text(reader, "chat_template", atMost: 1_000_000, isLines: true))
    }

    private static func repo(_ reader: FieldReader) throws -> String {
        // A name that is copied from a page often brings a blank or a line break along.
        let text = (try reader.field("repo", String.self, "a string").optional ?? "").trimmingWhitespace
        guard !text.isEmpty else {
            throw HTTPFailure.badRequest(
                "repo_required", "Send the repository in the field \"repo\": org/name, or the model's URL on the Hub.",
                param: "repo")
        }
        return try checked(text, "repo", atMost: 2048, isLines: false)
    }

    /// nil if the field was left out or is null.
    private static func text(
        _ reader: FieldReader, _ name: String, atMost limit: Int, isLines: Bool = false
    ) throws -> String? {
        try reader.field(name, String.self, "a string").optional
            .map { try checked($0, name, atMost: limit, isLines: isLines) }
    }

    /// Throws 400 `invalid_` and the field's name. `isLines`: may hold line breaks and tabs.
    private static func checked(
        _ text: String, _ name: String, atMost limit: Int, isLines: Bool
    ) throws(HTTPFailure) -> String {
        guard (1...limit).contains(text.utf8.count) else {
            throw .badRequest("invalid_\(name)", "\(name) must have 1 to \(limit) bytes.", param: name)
        }
        let isPrintable = text.unicodeScalars.allSatisfy { scalar in
            scalar.properties.generalCategory != .control || isLines && ["\n", "\r", "\t"].contains(scalar)
        }
        guard isPrintable else {
            throw .badRequest("invalid_\(name)", "\(name) must not hold control characters.", param: name)
        }
        return text
    }
}

/// The body of `POST /v0/models/{name}/refresh`, which may be left out.
struct RefreshBody: Decodable {
    /// Whether the new commit, if there is one, takes the place of the old one.
    let isApplied: Bool

    init(from decoder: any Decoder) throws {
        let reader = try FieldReader(decoder, fields: ["apply"])
        isApplied = try reader.unlessNull("apply", Bool.self, "true or false") ?? false
    }

    init() { isApplied = false }
}

extension String {
    fileprivate var trimmingWhitespace: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
