import FoundationEssentials

/// `ROLLCALL_ENDPOINT_CA_FILE`: for the tables of the processes that talk to endpoints.
public enum EndpointAuthorities {
    public static let setting = Setting(
        name: "ROLLCALL_ENDPOINT_CA_FILE", kind: "path",
        meaning: "Certificates (PEM) of authorities that endpoints' certificates may be from, besides the system's.")

    /// The path of the file, nil if none is given. Throws if it cannot be read, or holds no certificate.
    public static func file(_ settings: ProcessSettings) throws(SettingError) -> String? {
        guard let path = try settings.string(setting) else { return nil }
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw settings.wrong(setting, path, "the path of a file that can be read")
        }
        // OpenSSL writes both, the second with its own extensions.
        guard ["-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----"].contains(where: text.contains)
        else {
            throw settings.wrong(setting, path, "the path of a file with certificates (PEM)")
        }
        return path
    }
}
