/// The form that endpoints must have, checked by the gateway and again by the registrar.
public enum EndpointRules {
    public static let maximumLabels = 32

    /// ASCII letters, digits, `-`, `_`, `.`; 1–64 characters; not `.` or `..`, which URL paths do not keep; not in the
    /// form of a UUID, because routes take a name or an id in one place. Throws `invalid_name`.
    public static func checkName(_ name: String) throws(APIError) {
        let bytes = name.utf8
        guard (1...64).contains(bytes.count) else {
            throw invalid("name", "must have 1 to 64 characters")
        }
        guard bytes.allSatisfy({ isWordByte($0) || $0 == UInt8(ascii: ".") }) else {
            throw invalid("name", "may hold ASCII letters, digits, '-', '_', and '.' only")
        }
        guard name != ".", name != ".." else { throw invalid("name", "must not be '.' or '..'") }
        guard !isUUID(name) else { throw invalid("name", "must not look like an id (a UUID)") }
    }

    /// http/https URL → without trailing slash, `/v1`, default port; host in lower case; IPv6 in its short form. Gives the
    /// same again for what it gave. Throws `invalid_base_url` that says which base was meant if the URL leads elsewhere
    /// than to the root of an API; also for a user part, which belongs into `api_key`.
    public static func normalizedBaseURL(_ text: String) throws(APIError) -> String {
        do {
            return try BaseURL(endpoint: text).text
        } catch {
            throw invalid("base_url", error.message)
        }
    }

    /// The same form of any http or https URL, with its path as it is. Throws `invalid_base_url`.
    public static func normalizedURL(_ text: String) throws(APIError) -> String {
        do {
            return try BaseURL(text).text
        } catch {
            throw invalid("base_url", error.message)
        }
    }

    /// 1–3600, else `invalid_poll_interval`.
    public static func checkPollInterval(_ seconds: Int) throws(APIError) {
        guard (1...3600).contains(seconds) else {
            throw invalid("poll_interval_seconds", code: "invalid_poll_interval", "must be from 1 to 3600")
        }
    }

    /// 1–100000, else `invalid_max_concurrency`.
    public static func checkMaxConcurrency(_ value: Int) throws(APIError) {
        guard (1...100_000).contains(value) else { throw invalid("max_concurrency", "must be from 1 to 100000") }
    }

    /// At most 32; keys of 1–63 ASCII letters, digits, `-`, `_`, `.`, `/`; values of at most 256 bytes without control
    /// characters. Throws `invalid_labels`.
    public static func checkLabels(_ labels: [String: String]) throws(APIError) {
        guard labels.count <= maximumLabels else {
            throw invalid("labels", "may hold at most \(maximumLabels) labels")
        }
        for (key, value) in labels {
            guard (1...63).contains(key.utf8.count),
                key.utf8.allSatisfy({ isWordByte($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") })
            else {
                throw invalid("labels", "keys must have 1 to 63 ASCII letters, digits, '-', '_', '.', and '/'")
            }
            guard value.utf8.count <= 256 else { throw invalid("labels", "values may have at most 256 bytes") }
            guard !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
                throw invalid("labels", "values must not hold control characters")
            }
        }
    }

    /// Throws `unknown_kind`.
    public static func kind(_ text: String) throws(APIError) -> EndpointKind {
        guard let kind = EndpointKind(known: text) else {
            let known = EndpointKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw invalid("kind", code: "unknown_kind", "must be one of \(known)")
        }
        return kind
    }

    private static func invalid(_ field: String, code: String? = nil, _ message: String) -> APIError {
        APIError(
            type: "invalid_request_error", code: code ?? "invalid_\(field)", message: "\(field) \(message).",
            param: field)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isUUID(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
            && groups.joined().utf8.allSatisfy { byte in
                Character(UnicodeScalar(byte)).isHexDigit
            }
    }
}
