/// How a deployment at the broker is named and reached if nothing else is given.
public enum BrokerConvention {
    public static let defaultURL = "amqp://guest:guest@127.0.0.1:5672/"
    public static let defaultNamespace = "rollcall"
    /// What a namespace may be, for error messages.
    public static let allowedNamespace = "1 to 40 of a-z, 0-9, dot, underscore, and dash"
    /// The system's certificates (PEM) as Debian's `ca-certificates` keeps them. librabbitmq loads none by itself.
    public static let systemCertificates = "/etc/ssl/certs/ca-certificates.crt"

    /// Whether every queue's name can begin with `text`.
    public static func isNamespace(_ text: String) -> Bool {
        let allowed = Set("abcdefghijklmnopqrstuvwxyz0123456789._-".utf8)
        return (1...40).contains(text.utf8.count) && text.utf8.allSatisfy(allowed.contains)
    }
}
