/// What a `Content-Type` header says.
enum MediaType {
    /// `application/json`, in any case, with any parameters.
    static func isJSON(_ contentType: String?) -> Bool { isEssence("application/json", of: contentType) }

    /// `multipart/form-data`, in any case, with any parameters.
    static func isForm(_ contentType: String?) -> Bool { isEssence("multipart/form-data", of: contentType) }

    /// Asked of each request that has a body, so without a copy.
    private static func isEssence(_ essence: String, of contentType: String?) -> Bool {
        guard let contentType else { return false }
        // What nearly all clients send.
        if contentType == essence { return true }
        return contentType.utf8.lazy.prefix { $0 != UInt8(ascii: ";") }
            .filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
            .map(\.lowercasedASCII)
            .elementsEqual(essence.utf8)
    }
}

/// The value of a `Content-Type` or `Content-Disposition` header with its parameters (RFC 9110, 5.6.6).
///
/// The reader is stricter than the RFC. Parsers differ in what they make of escaped quotes, of a parameter that is
/// given twice, and of RFC 8187's `name*`. A value that has one of these is refused, so that every parser that takes
/// the value reads the same parameters.
struct ParameterizedValue {
    struct Parameter {
        /// As it was sent.
        let name: String
        /// Without its quotes. Backslashes stay: no escape is decoded.
        let value: [UInt8]

        var text: String { String(decoding: value, as: UTF8.self) }
    }

    struct Malformed: Error {
        let reason: String
    }

    /// What stands before the first `;`, in lower case.
    let essence: String
    let parameters: [Parameter]
    /// RFC 9110 allows a `;` without a parameter, and some clients end a `Content-Type` with one.
    let hasEmptyParameter: Bool

    /// `value` has no control characters, or it is malformed.
    init(_ value: some Sequence<UInt8>) throws(Malformed) {
        var rest = Array(value)[...]
        Self.skipSpaces(&rest)
        let essence = rest.prefix { $0.isTokenCharacter || $0 == UInt8(ascii: "/") }
        rest = rest[essence.endIndex...]
        guard !essence.isEmpty else { throw Malformed(reason: "it is empty") }
        self.essence = String(decoding: essence.map(\.lowercasedASCII), as: UTF8.self)
        var parameters: [Parameter] = []
        var names: Set<String> = []
        var hasEmptyParameter = false
        while true {
            Self.skipSpaces(&rest)
            guard let byte = rest.popFirst() else { break }
            guard byte == UInt8(ascii: ";") else {
                throw Malformed(reason: "its parameters are not separated by \";\"")
            }
            Self.skipSpaces(&rest)
            if rest.first == UInt8(ascii: ";") || rest.isEmpty {
                hasEmptyParameter = true
                continue
            }
            let parameter = try Self.parameter(&rest)
            guard names.insert(parameter.name.lowercased()).inserted else {
                throw Malformed(reason: "it has the parameter \"\(parameter.name)\" twice")
            }
            parameters.append(parameter)
        }
        self.parameters = parameters
        self.hasEmptyParameter = hasEmptyParameter
    }

    /// The parameter of this name, which is in lower case; its own may be in any.
    subscript(name: String) -> Parameter? { parameters.first { $0.name.lowercased() == name } }

    private static func skipSpaces(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop { $0 == UInt8(ascii: " ") }
    }

    private static func parameter(_ rest: inout ArraySlice<UInt8>) throws(Malformed) -> Parameter {
        let name = rest.prefix(while: \.isTokenCharacter)
        rest = rest[name.endIndex...]
        let text = String(decoding: name, as: UTF8.self)
        guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "=") else {
            throw Malformed(reason: "a parameter is not written name=value")
        }
        guard !name.contains(UInt8(ascii: "*")) else {
            throw Malformed(reason: "it has the extended parameter \"\(text)\"")
        }
        guard rest.first == UInt8(ascii: "\"") else {
            let value = rest.prefix(while: \.isTokenCharacter)
            rest = rest[value.endIndex...]
            guard !value.isEmpty else { throw Malformed(reason: "the parameter \"\(text)\" has no value") }
            return Parameter(name: text, value: Array(value))
        }
        rest = rest.dropFirst()
        let value = rest.prefix { $0 != UInt8(ascii: "\"") }
        rest = rest[value.endIndex...].dropFirst()
        // A backslash before a quote: parsers differ in where the value ends.
        guard value.endIndex < rest.startIndex, value.last != UInt8(ascii: "\\") else {
            throw Malformed(reason: "the quotes of the parameter \"\(text)\" can be read in two ways")
        }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw Malformed(reason: "the parameter \"\(text)\" has a control character")
        }
        return Parameter(name: text, value: Array(value))
    }
}
