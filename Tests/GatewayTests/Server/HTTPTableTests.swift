import TestSupport
import Testing

@testable import Gateway

private let model = #"{"model":"m"}"#
private let chat = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
private let health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
private let list = "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
private let length = "Content-Length: \(model.utf8.count)\r\n"
private let chunked = "Transfer-Encoding: chunked\r\n"
private let whole = "d\r\n\(model)\r\n0\r\n\r\n"
private let offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"

private func get(_ lines: String, path: String = "/healthz", version: String = "1.1") -> String {
    "GET \(path) HTTP/\(version)\r\n\(lines)\r\n"
}

/// RFC 9112 over a real socket: what is answered, in which shape, and whether the connection lives on.
private let rows: [HTTPRow] = [
    // Versions and connections.
    .init("plain", health, [200], .lives),
    .init("names in capitals", get("HOST: x\r\nACCEPT: */*\r\n"), [200], .lives),
    .init("1.0", get("", version: "1.0"), [200], .closes),
    .init("1.0 with a host", get("Host: x\r\n", version: "1.0"), [200], .closes),
    .init("1.0 that stays", get("Connection: keep-alive\r\n", version: "1.0"), [200], .lives),
    .init("1.0 list", get("", path: "/v1/models", version: "1.0"), [200], .closes),
    .init(
        "1.0 chat", "POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\n\(length)\r\n\(model)",
        [200], .closes),
    .init("close", get("Host: x\r\nConnection: close\r\n"), [200], .closes),
    .init("Close", get("Host: x\r\nConnection: Close\r\n"), [200], .closes),
    .init("close among others", get("Host: x\r\nTE: trailers\r\nConnection: TE, close\r\n"), [200], .closes),
    .init("close in a second line", get("Host: x\r\nConnection: keep-alive\r\nConnection: close\r\n"), [200], .closes),
    .init("keep-alive", get("Host: x\r\nConnection: keep-alive\r\n"), [200], .lives),
    .init("list and close", get("Host: 127.0.0.1\r\nConnection: close\r\n", path: "/v1/models"), [200], .closes),
    .init("2.0", get("Host: x\r\n", version: "2.0"), [400], .closes),
    .init("1.7", get("Host: x\r\n", version: "1.7"), [400], .closes),
    .init("0.9", "GET /healthz\r\n\r\n", [400], .closes),
    .init("HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400], .closes),
    .init("TLS where there is none", "\u{16}\u{3}\u{1}\u{0}\u{A5}\u{1}\u{0}\u{0}\u{A1}\u{3}\u{3}", [400], .closes),

    // Methods and targets.
    .init("unknown method", "BREW /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", [501], .closes),
    .init("method in small letters", "get /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", [501], .closes),
    .init("PUT", "PUT /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", [405], .lives),
    .init("TRACE", "TRACE /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", [405], .lives),
    .init("PROPFIND", "PROPFIND /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", [405], .lives),
    .init("CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", [404], .lives),
    .init("asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", [404], .lives),
    .init("absolute form", get("Host: x\r\n", path: "http://x/healthz"), [200], .lives),
    .init("bad percent", get("Host: 127.0.0.1\r\n", path: "/v1/models/%zz"), [400], .lives),
    .init("trailing slash", get("Host: 127.0.0.1\r\n", path: "/v1/models/"), [200], .lives),
    .init(
        "long path", get("Host: 127.0.0.1\r\n", path: "/v1/models/" + String(repeating: "a", count: 20_000)), [404],
        .lives),
    .init(
        "longer path", get("Host: x\r\n", path: "/v1/models/" + String(repeating: "a", count: 70_000)), [431], .closes),
    .init("space in the target", get("Host: x\r\n", path: "/v1/models foo"), [400], .closes),
    .init("raw bytes in the target", get("Host: x\r\n", path: "/v1/models/m\u{FC}"), [400], .closes),

    // Fields.
    .init("no Host", "GET /healthz HTTP/1.1\r\n\r\n", [400], .closes),
    .init("two Hosts", get("Host: a\r\nHost: b\r\n"), [400], .closes),
    .init("no Host for the list", "GET /v1/models HTTP/1.1\r\n\r\n", [400], .closes),
    .init("two Hosts for the list", get("Host: 127.0.0.1\r\nHost: b\r\n", path: "/v1/models"), [400], .closes),
    .init("obs-fold", get("Host: x\r\nX: a\r\n b\r\n"), [400], .closes),
    .init(
        "obs-fold in the list's request", get("Host: 127.0.0.1\r\nX: a\r\n b\r\n", path: "/v1/models"), [400], .closes),
    .init("bare CR", get("Host: x\r\nX: a\rb\r\n"), [400], .closes),
    .init("bare LF ends a line", "GET /healthz HTTP/1.1\nHost: x\n\n", [400], .closes),
    .init("NUL", get("Host: x\r\nX: a\u{0}b\r\n"), [400], .closes),
    .init("NUL in the list's request", get("Host: 127.0.0.1\r\nX: a\u{0}b\r\n", path: "/v1/models"), [400], .closes),
    .init("space before the colon", get("Host: x\r\nX : a\r\n"), [400], .closes),
    .init("no colon", get("Host: x\r\nbroken\r\n"), [400], .closes),
    .init("no name", get("Host: x\r\n: a\r\n"), [400], .closes),
    .init("a control in a name", get("Host: x\r\nX\u{1}: a\r\n"), [400], .closes),
    .init("tab in a value", get("Host: x\r\nX: a\tb\r\n"), [200], .lives),
    .init("Latin-1 in a value", get("Host: x\r\nX: caf\u{E9}\r\n"), [200], .lives),
    .init(
        "Latin-1 in the list's request", get("Host: 127.0.0.1\r\nX: caf\u{E9}\r\n", path: "/v1/models"), [200], .lives),
    .init("head of 70 KB", get("Host: x\r\nX: \(String(repeating: "a", count: 70_000))\r\n"), [431], .closes),
    .init("300 fields", get("Host: x\r\n" + String(repeating: "X: a\r\n", count: 300)), [431], .closes),
    .init("line breaks before a request", "\r\n\r\n" + health, [200], .lives),

    // Bodies.
    .init("GET with a body", get("Host: x\r\nContent-Length: 5\r\n") + "hello", [200], .lives),
    .init(
        "GET with chunks", get("Host: x\r\nTransfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n", [200], .lives),
    .init(
        "list with a body", get("Host: 127.0.0.1\r\nContent-Length: 5\r\n", path: "/v1/models") + "hello", [200], .lives
    ),
    .init("length", chat + length + "\r\n" + model, [200], .lives),
    .init("chunks", chat + chunked + "\r\n" + whole, [200], .lives),
    .init(
        "a chunk for each byte", chat + chunked + "\r\n" + model.map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n", [200],
        .lives),
    .init("sizes in capitals with zeros", chat + chunked + "\r\n000D\r\n\(model)\r\n000\r\n\r\n", [200], .lives),
    .init("chunk extension", chat + chunked + "\r\nd;a=b;c=\"d\"\r\n\(model)\r\n0;z\r\n\r\n", [200], .lives),
    .init("trailers", chat + chunked + "\r\nd\r\n\(model)\r\n0\r\nX-Trailer: a\r\n\r\n", [200], .lives),
    .init(
        "trailers that would frame", chat + chunked + "\r\nd\r\n\(model)\r\n0\r\nContent-Length: 9\r\nHost: y\r\n\r\n",
        [400], .closes),
    .init("length and chunks", chat + "Content-Length: 5\r\n" + chunked + "\r\n0\r\n\r\n" + health, [400], .closes),
    .init("chunks and length", chat + chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n" + health, [400], .closes),
    .init(
        "two lengths that differ", chat + "Content-Length: 13\r\nContent-Length: 14\r\n\r\n\(model) " + health, [400],
        .closes),
    .init("two lengths alike", chat + length + length + "\r\n" + model, [400], .closes),
    .init("a list of lengths", chat + "Content-Length: 13, 13\r\n\r\n" + model, [400], .closes),
    .init("+13", chat + "Content-Length: +13\r\n\r\n" + model, [400], .closes),
    .init("-13", chat + "Content-Length: -13\r\n\r\n" + model, [400], .closes),
    .init("0xd", chat + "Content-Length: 0xd\r\n\r\n" + model, [400], .closes),
    .init("a length beyond all numbers", chat + "Content-Length: 99999999999999999999\r\n\r\n" + model, [400], .closes),
    .init("an empty length", chat + "Content-Length:\r\n\r\n" + model, [400], .closes),
    .init("identity", chat + "Transfer-Encoding: identity\r\n" + length + "\r\n" + model, [400], .closes),
    .init("gzip, chunked", chat + "Transfer-Encoding: gzip, chunked\r\n\r\n" + whole, [501], .closes),
    .init("chunked, gzip", chat + "Transfer-Encoding: chunked, gzip\r\n\r\n" + whole, [400], .closes),
    .init("xchunked", chat + "Transfer-Encoding: xchunked\r\n\r\n" + whole, [501], .closes),
    .init("chunked twice", chat + chunked + chunked + "\r\n" + whole, [400], .closes),
    .init("vertical tab before chunked", chat + "Transfer-Encoding: \u{B}chunked\r\n\r\n" + whole, [400], .closes),
    .init(
        "chunks in 1.0",
        "POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\n\(chunked)\r\n\(whole)", [400], .closes
    ),
    .init("chunk size beyond all numbers", chat + chunked + "\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n", [400], .closes),
    .init("chunk size -2", chat + chunked + "\r\n-2\r\n{}\r\n0\r\n\r\n", [400], .closes),
    .init("chunk that is too long", chat + chunked + "\r\n2\r\n{}XX0\r\n\r\n", [400], .closes),
    .init("space behind a chunk size", chat + chunked + "\r\nd \r\n\(model)\r\n0\r\n\r\n", [400], .closes),
    .init("chunks with bare LF", chat + chunked + "\r\nd\n\(model)\n0\n\n", [400], .closes),
    .init("unwanted short body", "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", [404], .lives),
    .init(
        "unwanted long body", "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 500000000\r\n\r\n", [404], .closes),

    // Expectations.
    .init("continue", [chat + length + "Expect: 100-continue\r\n\r\n", model], [100, 200], .lives),
    .init("Continue in capitals", [chat + length + "EXPECT: 100-Continue\r\n\r\n", model], [100, 200], .lives),
    .init("nothing to continue with", chat + "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n", [400], .lives),
    .init("unknown expectation", chat + length + "Expect: 200-ok\r\n\r\n" + model, [417], .closes),
    .init(
        "continue for nobody", "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        [404], .closes),
    .init(
        "continue for too much", chat + "Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n", [413], .closes),
    .init(
        "continue behind another answer", [health + chat + length + "Expect: 100-continue\r\n\r\n" + model],
        [200, 100, 200], .lives),

    // Requests behind each other, through both paths.
    .init("two", health + health, [200, 200], .lives),
    .init("list and health", list + health, [200, 200], .lives),
    .init("health and list", health + list, [200, 200], .lives),
    .init("ten lists", String(repeating: list, count: 10), Array(repeating: 200, count: 10), .lives),
    .init("chat and list", chat + length + "\r\n" + model + list, [200, 200], .lives),
    .init("list and chat", list + chat + length + "\r\n" + model, [200, 200], .lives),
    .init(
        "list, half a list", [list + "GET /v1/mod", "els HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + list], [200, 200, 200],
        .lives),
    .init(
        "chat and half a list",
        [chat + length + "\r\n" + model + "GET /v1/models HTTP/1.1\r\n", "Host: 127.0.0.1\r\n\r\n"], [200, 200], .lives),
    .init("garbage behind an answer", health + "garbage\r\n\r\n", [200, 501], .closes),
    .init("garbage behind a chat", chat + length + "\r\n" + model + "\u{1}\u{2}\r\n\r\n", [200, 501], .closes),

    // Offers of an upgrade.
    .init("h2c", get("Host: x\r\n" + offer), [200], .lives),
    .init("h2c, then another at once", get("Host: x\r\n" + offer) + health, [200, 200], .lives),
    .init(
        "four offers in a row", String(repeating: get("Host: x\r\n" + offer), count: 4) + list,
        [200, 200, 200, 200, 200], .lives),
    .init("h2c for the list", get("Host: 127.0.0.1\r\n" + offer, path: "/v1/models") + list, [200, 200], .lives),
    .init("h2c with a body", chat + offer + length + "\r\n" + model + health, [200, 200], .lives),
    .init("h2c with chunks", chat + offer + chunked + "\r\n" + whole + list, [200, 200], .lives),
    .init("h2c to nowhere", get("Host: x\r\n" + offer, path: "/nowhere") + health, [404, 200], .lives),
    .init(
        "WebSocket", get("Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", path: "/v1/responses") + health,
        [405, 200], .lives),
    .init("TLS/1.0", get("Host: x\r\nConnection: upgrade\r\nUpgrade: TLS/1.0\r\n") + health, [200, 200], .lives),
    // Whether the decoder stops behind these is not certain: nothing behind them is read.
    .init("an empty offer", get("Host: x\r\nConnection: upgrade\r\nUpgrade:\r\n"), [200], .closes),
    .init("an offer with a tab", get("Host: x\r\nConnection: upgrade\t\r\nUpgrade: a\r\n"), [200], .closes),
    .init(
        "an empty offer, and a body that looks like a request",
        [
            chat + "Connection: upgrade\r\nUpgrade: \r\n" + length + "\r\n" + model + chat
                + "Content-Length: 500\r\n\r\n{\"model\":\"m\"", list,
        ], [200], .closes),
    .init(
        "an offer behind a comma that is none",
        get("Host: x\r\nConnection: upgrade,\u{CC}\u{81}\r\nUpgrade: a\r\n"), [200], .closes),
    .init(
        "Proxy-Connection: upgrade", get("Host: x\r\nProxy-Connection: upgrade\r\nUpgrade: a\r\n") + health,
        [200, 200],
        .lives),
    .init("Proxy-Connection: close", get("Host: x\r\nProxy-Connection: close\r\n"), [200], .closes),
    .init("close behind a comma that is none", get("Host: x\r\nConnection: close,\u{CC}\u{81}\r\n"), [200], .closes),
    .init("Upgrade without Connection", get("Host: x\r\nUpgrade: h2c\r\n") + health, [200, 200], .lives),
    .init("Connection without Upgrade", get("Host: x\r\nConnection: Upgrade\r\n") + health, [200, 200], .lives),

    // Sides that end.
    .init("half-close behind a request", health, [200], .closes, halfCloses: true),
    .init("half-close behind a list", list, [200], .closes, halfCloses: true),
    .init("half-close behind three", health + list + health, [200, 200, 200], .closes, halfCloses: true),
    .init(
        "half-close behind a write", "GET /v0/endpoints HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", [200], .closes,
        halfCloses: true),
    .init(
        "half-close behind a write and two", "GET /v0/endpoints HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + health + list,
        [200, 200, 200], .closes, halfCloses: true),
    .init(
        "half-close behind offers", get("Host: x\r\n" + offer) + get("Host: x\r\n" + offer) + list, [200, 200, 200],
        .closes, halfCloses: true),
    .init(
        "half-close behind a list and a chat", list + chat + length + "\r\n" + model, [200], .closes, halfCloses: true),
    .init("half-close in a head", "GET /healthz HTTP/1.1\r\nHo", [400], .closes, halfCloses: true),
    .init("half-close in a body", chat + length + "\r\n{\"mo", [400], .closes, halfCloses: true),
]

extension LiveInferenceTests {
    @Suite struct HTTPTableTests {
        @Test func everyRow() async throws {
            let upstream = RawServer.answeringRequests()
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway in
                for row in rows {
                    let problems = await onThread { row.run(port: gateway.port) }
                    #expect(problems.isEmpty, "\(row.name): \(problems)")
                }
            }
            #expect(rows.count >= 100)
        }
    }
}
