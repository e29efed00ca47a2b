/// The form that API keys must have, checked by the gateway and again by the registrar.
public enum KeyRules {
    /// What every key begins with, so that one that leaked can be found by scanners.
    public static let prefix = "rc_"
    public static let maximumPatterns = 100

    /// A name of 1–100 characters without control characters; at least one scope, each once; 1–100 patterns of 1–256
    /// bytes, or none given, and none with the scope `admin`. Throws `invalid_name`, `invalid_scopes`, or
    /// `invalid_models`.
    public static func check(name: String, scopes: [Scope], models: [String]?) throws(APIError) {
        guard (1...100).contains(name.count), name.utf8.count <= 400, !hasControl(name) else {
            throw invalid("name", "must have 1 to 100 characters, none of them a control character")
        }
        guard !scopes.isEmpty, Set(scopes).count == scopes.count, scopes.allSatisfy(Scope.allCases.contains) else {
            throw invalid(
                "scopes", "must be one or more of \(Scope.allCases.map(\.rawValue).joined(separator: ", ")), each once")
        }
        guard let models else { return }
        guard !scopes.contains(.admin) else {
            throw invalid("models", "cannot go with the scope admin: such a key could make one for all models")
        }
        guard (1...maximumPatterns).contains(models.count),
            models.allSatisfy({ (1...256).contains($0.utf8.count) && !hasControl($0) })
        else {
            throw invalid("models", "must be 1 to \(maximumPatterns) patterns of at most 256 bytes, such as qwen/*")
        }
    }

    private static func hasControl(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    private static func invalid(_ field: String, _ rule: String) -> APIError {
        APIError(type: "invalid_request_error", code: "invalid_\(field)", message: "\(field) \(rule).", param: field)
    }
}
