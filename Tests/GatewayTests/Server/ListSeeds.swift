@testable import Gateway

/// Requests for the list that differ in everything that may matter.
enum ListSeeds {
    static let host = "Host: 127.0.0.1:8400\r\n"

    static func list(_ lines: String, host: String = Self.host, line: String = "GET /v1/models HTTP/1.1") -> [UInt8] {
        (line + "\r\n" + host + lines + "\r\n").unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    private static let sdk =
        "Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
        + "User-Agent: OpenAI/Python 1.99.0\r\nX-Stainless-Lang: python\r\nX-Stainless-Package-Version: 1.99.0\r\n"
        + "X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n"
        + "X-Stainless-Async: false\r\nx-stainless-retry-count: 0\r\nAuthorization: Bearer rc_only-models\r\n"

    /// `etag`: of the whole list.
    static func all(etag: String) -> [[UInt8]] {
        keys + conditions(etag) + identities + connections + fields + heads
    }

    private static let keys = [
        "", "Authorization: Bearer rc_only-models\r\n", "Authorization: Bearer rc_patterned\r\n",
        "Authorization: Bearer rc_expired\r\n", "Authorization: Bearer rc_revoked\r\n",
        "Authorization: Bearer rc_only-inference\r\n", "Authorization: Bearer rc_nobody\r\n",
        "Authorization: Bearer \(Keys.admin)\r\n", "Authorization:\r\n", "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n", "authorization: bearer\trc_only-models \r\n", "Authorization: Basic YTpi\r\n",
        "Authorization: rc_only-models\r\n", "X-API-Key: rc_only-models\r\n", "x-api-key: rc_patterned\r\n",
        "api-key: rc_only-models\r\n", "X-API-Key:\r\napi-key: rc_patterned\r\n",
        "Authorization: Bearer placeholder\r\nX-API-Key: rc_only-models\r\n",
        "Authorization: Bearer rc_patterned\r\nX-API-Key: rc_only-models\r\n",
        "X-API-Key: rc_only-models\r\nX-API-Key: rc_only-models\r\n",
        "Authorization: Bearer rc_only-models\r\nAuthorization: Bearer rc_lasting\r\n",
        "Authorization: Bearer rc_only-models, Bearer rc_lasting\r\n", sdk,
    ].map { list($0) }

    private static func conditions(_ etag: String) -> [[UInt8]] {
        [
            etag, "W/\(etag)", "*", "\"other\"", "\"a\", \(etag)", "\(etag),\"b\"", "W/\"a\", W/\(etag)", "",
            etag + "x",
            "\"", "\(etag) ", "\"a\",", "none",
        ].flatMap { value in
            ["", "Authorization: Bearer rc_only-models\r\n", "X-API-Key: rc_patterned\r\n"].map {
                list("\($0)If-None-Match: \(value)\r\n")
            }
        } + [list("If-None-Match: \"a\"\r\nIf-None-Match: \(etag)\r\n"), list("If-Match: \(etag)\r\n")]
    }

    private static let identities =
        [
            "sane-id.1", "a b", "", "\t x \t", "\"q\"", String(repeating: "i", count: 128),
            String(repeating: "i", count: 129),
            "a,b", "caf\u{e9}", "<script>",
        ].map { list("X-Request-Id: \($0)\r\n") } + [list("X-Request-Id: one\r\nx-request-id: two\r\n")]

    private static let connections =
        [
            "keep-alive", "Keep-Alive", "close", "Close", "TE", "keep-alive, close", "upgrade", "",
            "keep-alive, Upgrade",
        ].map { list("Connection: \($0)\r\n") } + [
            list("Connection: keep-alive\r\nConnection: close\r\n"),
            list("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"),
            list("Connection: Upgrade\r\nUpgrade: h2c\r\n"), list("Proxy-Connection: keep-alive\r\n"),
            list("", line: "GET /v1/models HTTP/1.0"),
            list("Connection: keep-alive\r\n", line: "GET /v1/models HTTP/1.0"),
        ]

    private static let fields = [
        "Origin: https://page.example\r\n", "Origin: null\r\n", "Expect: 100-continue\r\n", "Expect: x\r\n",
        "TE: trailers\r\n", "Trailer: X\r\n", "Host: 127.0.0.1\r\n", "Host: other.example\r\n", "Accept: text/html\r\n",
        "anthropic-version: 2023-06-01\r\n", "Anthropic-Version:\r\n", "ANTHROPIC-VERSION: x\r\nX: a\r\n",
        "anthropic-version: 1\r\nX-API-Key: rc_patterned\r\n", "anthropic-version: 1\r\nIf-None-Match: *\r\n",
        "X: a\tb\r\n", "X:\t a \t\r\n", "X: caf\u{e9}\r\n", "X: a\r\n b\r\n",
        "X : a\r\n", ": a\r\n", "X\r\n", "X: a\u{0}b\r\n", "X: a\rb\r\n", "X: \u{7f}\r\n", "x!#$%&'*+-.^_`|~: a\r\n",
        "X(: a\r\n",
        "Content-Length: 0\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n",
        "Access-Control-Request-Method: GET\r\n", "Prefer: respond-async\r\n", "Range: bytes=0-1\r\n",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
    ].map { list($0) }

    private static let heads = [
        list("", host: ""), list("", host: "Host:\r\n"), list("", host: "Host: rebound.example\r\n"),
        list("", host: "host:localhost\r\n"), list("", host: "HOST: [::1]:8400\r\n"),
        list("", host: "Host: 127.0.0.1, x\r\n"),
        list("X: \(String(repeating: "a", count: 4200))\r\n"), list("X: \(String(repeating: "a", count: 3900))\r\n"),
        list("X: \(String(repeating: "a", count: 70_000))\r\n"), list(String(repeating: "X: a\r\n", count: 62)),
        list(String(repeating: "X: a\r\n", count: 65)), list(String(repeating: "X: a\r\n", count: 300)),
        list("", line: "GET /v1/models/ HTTP/1.1"), list("", line: "GET /v1/models? HTTP/1.1"),
        list("", line: "HEAD /v1/models HTTP/1.1"), list("", line: "GET http://127.0.0.1/v1/models HTTP/1.1"),
        list("", line: "GET  /v1/models HTTP/1.1"), list("", line: "GET /v1/models  HTTP/1.1"),
        list("", line: "\r\nGET /v1/models HTTP/1.1"), list("", line: "GET /v1/%6Dodels HTTP/1.1"),
    ]
}
