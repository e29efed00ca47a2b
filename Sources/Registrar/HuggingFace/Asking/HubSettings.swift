import Launch

/// Which Hub, and with which token: named as the Hub's own library names them (huggingface_hub, environment
/// variables), so that a machine's settings hold here as well.
enum HubSettings {
    static let endpoint = Setting(
        name: "HF_ENDPOINT", kind: "URL", defaultValue: HubAddress.standard.text,
        meaning: "The Hugging Face Hub, or a mirror of it, that registrations are looked up on.", prefix: "")
    /// The same under another name.
    static let baseURL = Setting(
        name: "HF_BASE_URL", kind: "URL", meaning: "Another name of HF_ENDPOINT, which goes first.", prefix: "")
    static let token = Setting(
        name: "HF_TOKEN", kind: "text",
        meaning: "Token for private and gated repositories, and for a higher rate limit; goes to the Hub only.",
        isSecret: true, prefix: "")

    static let all = [endpoint, baseURL, token]

    static func read(_ settings: ProcessSettings) throws(SettingError) -> (hub: HubAddress, token: String?) {
        (try address(settings), try secret(settings))
    }

    private static func address(_ settings: ProcessSettings) throws(SettingError) -> HubAddress {
        // The default must not hide the other name.
        var given = endpoint
        given.defaultValue = nil
        let first = try settings.string(given)
        let second = try settings.string(baseURL)
        guard let text = first ?? second else { return .standard }
        do throws(HubAddress.Problem) {
            return try HubAddress(text)
        } catch {
            // The value is not shown: a URL may hold a password where one does not belong.
            throw SettingError(
                setting: first == nil ? baseURL.name : endpoint.name, value: nil,
                allowed: "\(HubAddress.allowed) (\(error.message))")
        }
    }

    /// What a header can carry: anything else is a mistake that would be refused with every request.
    private static func secret(_ settings: ProcessSettings) throws(SettingError) -> String? {
        guard let text = try settings.secret(token) else { return nil }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), text.utf8.count <= 1024 else {
            throw SettingError(
                setting: token.name, value: nil, allowed: "a token of at most 1024 printable ASCII characters")
        }
        return text
    }
}
