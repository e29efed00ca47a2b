import HTTPTypes

/// What the body of an inference request is.
enum InferenceContentType: Sendable, Hashable {
    case json
    case form(boundary: String)

    /// Checks all that can be judged before the body comes: its type (400, 415), its coding (415), the query (400).
    ///
    /// - Parameters:
    ///   - contentTypes: the value of each `Content-Type` line
    ///   - contentEncodings: the value of each `Content-Encoding` line
    static func check(
        contentTypes: [String], contentEncodings: [String], query: String?, for path: InferencePath
    ) throws(HTTPFailure) -> InferenceContentType {
        let type = try parse(values: contentTypes)
        if case .form = type, !path.takesForms { throw unsupported("application/json") }
        guard contentEncodings.allSatisfy({ $0.lowercased() == "identity" }) else {
            throw HTTPFailure(
                .unsupportedMediaType, code: "unsupported_content_encoding",
                "Send the body without a Content-Encoding: a compressed one is not taken.")
        }
        try ModelField.check(query: query)
        return type
    }

    /// `values` has the value of each `Content-Type` line.
    ///
    /// Throws 415 for another type, and 400 for what two servers could read in two ways: two lines (some servers take
    /// the first, some the last, some join them), a parameter twice, another charset than UTF-8 (the `body-parser` of
    /// Express decodes UTF-7).
    static func parse(values: [String]) throws(HTTPFailure) -> InferenceContentType {
        guard values.count <= 1 else { throw invalid("The request has more than one Content-Type. Send one.") }
        guard let value = values.first else { throw unsupported("application/json or multipart/form-data") }
        // What nearly all clients send.
        if value == "application/json" { return .json }
        let isForm = MediaType.isForm(value)
        guard isForm || MediaType.isJSON(value) else { throw unsupported("application/json or multipart/form-data") }
        let parsed: ParameterizedValue
        do {
            parsed = try ParameterizedValue(value.utf8)
        } catch {
            throw invalid("Content-Type cannot be read: \(error.reason).", isForm: isForm)
        }
        for parameter in parsed.parameters { try check(parameter, isForm: isForm) }
        guard isForm else { return .json }
        guard let boundary = parsed["boundary"], isBoundary(boundary.value) else {
            throw invalid(
                "Content-Type must name a boundary, as in multipart/form-data; boundary=abc, of 1 to 70 characters.",
                isForm: true)
        }
        return .form(boundary: boundary.text)
    }

    private static func check(
        _ parameter: ParameterizedValue.Parameter, isForm: Bool
    ) throws(HTTPFailure) {
        switch parameter.name.lowercased() {
        case "charset":
            guard parameter.text.lowercased() == "utf-8" else {
                throw invalid("The body must be UTF-8: Content-Type names another charset.", isForm: isForm)
            }
        case "boundary": break
        default:
            // Some parsers look for "boundary=" or "charset=" anywhere in the value, also inside of quotes.
            let text = "\(parameter.name)=\(parameter.text)".lowercased()
            guard parameter.value.allSatisfy(\.isTokenCharacter), !text.contains("boundary"), !text.contains("charset")
            else {
                throw invalid(
                    "Content-Type cannot be read: its parameter \"\(parameter.name)\" can be read in two ways.",
                    isForm: isForm)
            }
        }
    }

    /// RFC 2046, 5.1.1: 1 to 70 of a few characters, the last one no space.
    private static func isBoundary(_ value: [UInt8]) -> Bool {
        (1...70).contains(value.count) && value.last != UInt8(ascii: " ")
            && value.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "'")...UInt8(ascii: ")"),
                    UInt8(ascii: "+")...UInt8(ascii: "/"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "="),
                    UInt8(ascii: "?"), UInt8(ascii: " "):
                    true
                default: false
                }
            }
    }

    private static func unsupported(_ types: String) -> HTTPFailure {
        HTTPFailure(
            .unsupportedMediaType, code: "unsupported_media_type",
            "Send the body as \(types), and say so in Content-Type.")
    }

    private static func invalid(_ message: String, isForm: Bool = false) -> HTTPFailure {
        .badRequest(isForm ? "invalid_form" : "unsupported_media_type", message)
    }
}
