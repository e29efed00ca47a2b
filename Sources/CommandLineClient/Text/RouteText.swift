/// Routes in the gateway's messages, as commands.
///
/// The gateway speaks to HTTP clients and names its routes: "GET /v1/models lists all". Whoever uses the command line can do
/// nothing with a route, so each becomes the command that asks for it.
enum RouteText {
    /// A segment in braces stands for any text, which takes the place of the same braces in the command.
    private static let commands: [(method: String, path: String, command: String)] = [
        ("GET", "/v1/models", "rollcall models list"),
        ("GET", "/v0/models", "rollcall models registered"),
        ("GET", "/v0/models/hub", "rollcall models registered"),
        ("POST", "/v0/models/register", "rollcall models register"),
        ("GET", "/v0/endpoints", "rollcall endpoints list"),
        ("POST", "/v0/endpoints", "rollcall endpoints add"),
        ("GET", "/v0/endpoints/{}", "rollcall endpoints show {}"),
        ("PATCH", "/v0/endpoints/{}", "rollcall endpoints update {}"),
        ("DELETE", "/v0/endpoints/{}", "rollcall endpoints remove {}"),
        ("POST", "/v0/endpoints/{}/poll", "rollcall endpoints poll {}"),
        ("GET", "/v0/keys", "rollcall keys list"),
        ("POST", "/v0/keys", "rollcall keys create"),
        ("DELETE", "/v0/keys/{}", "rollcall keys revoke {}"),
        ("GET", "/v0/operations/{}", "rollcall operations watch {}"),
        ("POST", "/v1/chat/completions", "rollcall chat"),
    ]

    /// The same text with a command in the place of each route that has one.
    static func withCommands(_ text: String) -> String {
        guard text.contains(" /v") else { return text }
        return text.replacing(#/\b(GET|POST|PATCH|DELETE) (/v[01]/[A-Za-z0-9_~%:{}/.-]*[A-Za-z0-9_~%{}])/#) { match in
            command(String(match.1), String(match.2)).map { "'\($0)'" } ?? String(match.0)
        }
    }

    private static func command(_ method: String, _ path: String) -> String? {
        let segments = path.split(separator: "/")
        for route in commands where route.method == method {
            let pattern = route.path.split(separator: "/")
            guard pattern.count == segments.count else { continue }
            guard zip(pattern, segments).allSatisfy({ $0 == "{}" || $0 == $1 }) else { continue }
            let value = zip(pattern, segments).first { $0.0 == "{}" }.map { String($0.1) }
            return route.command.replacing("{}", with: value ?? "")
        }
        return nil
    }
}
