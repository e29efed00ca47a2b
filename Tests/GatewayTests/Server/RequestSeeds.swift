/// Requests for every route of the route table, and for none.
enum RequestSeeds {
    private static let host = "Host: 127.0.0.1\r\n"
    private static let json = host + "Content-Type: application/json\r\n"

    private static func bytes(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    private static func get(_ path: String, _ lines: String = "", method: String = "GET") -> [UInt8] {
        bytes("\(method) \(path) HTTP/1.1\r\n\(host)\(lines)\r\n")
    }

    private static func post(
        _ path: String, _ body: String, _ lines: String = "", method: String = "POST", type: String = json
    ) -> [UInt8] {
        bytes("\(method) \(path) HTTP/1.1\r\n\(type)\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    private static func chunked(_ path: String, _ pieces: [String], trailers: String = "") -> [UInt8] {
        let chunks = pieces.map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }.joined()
        return bytes("POST \(path) HTTP/1.1\r\n\(json)Transfer-Encoding: chunked\r\n\r\n\(chunks)0\r\n\(trailers)\r\n")
    }

    private static let chat = #"{"model":"m","messages":[{"role":"user","content":"Hi \u00e9"}],"stream":true}"#
    private static let formType = host + "Content-Type: multipart/form-data; boundary=AAA\r\n"
    private static let form =
        "--AAA\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--AAA\r\nContent-Disposition: form-data; "
        + "name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n\u{1}\u{2}--AA\r\n--AAA--\r\n"
    /// One operation, however often it is sent.
    private static let once = "Idempotency-Key: fuzz\r\n"

    static let all: [[UInt8]] = reads + writes + inference + wholes

    private static let reads = [
        get("/healthz"), get("/readyz"), get("/v1/models"),
        get("/v1/models", "Authorization: Bearer rc_only-models\r\n"),
        get("/v1/models?min_version=1-1"), get("/v1/models/m"), get("/v1/models/org%2Ffamily/model"),
        get("/v1/models?limit=2", "anthropic-version: 2023-06-01\r\n"), get("/v0/endpoints"), get("/v0/endpoints/one"),
        get("/v0/models"), get("/v0/models/hub"), get("/v0/models/registry/org/name/manifest.json"),
        get("/v0/models/org/name"), get("/v0/keys"), get("/v0/operations/1"), get("/"), get("/nowhere"),
        get("/v1/chat/completions", method: "PUT"), get("*", method: "OPTIONS"),
        get("/v1/models", "Origin: https://page.example\r\nAccess-Control-Request-Method: GET\r\n", method: "OPTIONS"),
        get("/healthz", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
        get("/api/version"), get("/api/tags"), get("/api/ps"), post("/api/show", #"{"name":"o","verbose":true}"#),
        get("/api/blobs/sha256:29fd"), post("/api/pull", #"{"model":"o"}"#),
    ]

    private static let writes = [
        post("/v0/endpoints", #"{"name":"new","base_url":"http://127.0.0.1:9","labels":{"a":"b"}}"#, once),
        post("/v0/endpoints/none", #"{"max_concurrency":3}"#, once, method: "PATCH"),
        get("/v0/endpoints/none", once, method: "DELETE"), post("/v0/endpoints/none/poll", ""),
        post("/v0/models/register", #"{"model":"org/name","revision":"main"}"#, once),
        get("/v0/models/org/name", once, method: "DELETE"), post("/v0/models/org/name/refresh", "{}", once),
        post("/v0/models/org/name/verify", "{}", once),
        post("/v0/keys", #"{"name":"laptop","scopes":["models"],"models":["org/*"]}"#, once),
        get("/v0/keys/none", once, method: "DELETE"),
    ]

    private static let inference = [
        post("/v1/chat/completions", chat), post("/v1/chat/completions", chat, "X-API-Key: rc_only-inference\r\n"),
        post("/v1/chat/completions", #"{"model":"none"}"#), post("/v1/completions", #"{"model":"m","prompt":"a"}"#),
        post("/v1/embeddings", #"{"model":"m","input":["a","b"]}"#), post("/v1/rerank", #"{"model":"m","query":"a"}"#),
        post("/v1/responses", #"{"model":"m","input":"a","previous_response_id":"resp_1"}"#),
        post("/v1/messages", #"{"model":"m","max_tokens":1,"messages":[]}"#, "anthropic-version: 2023-06-01\r\n"),
        post("/v1/audio/transcriptions", form, type: formType), post("/v1/audio/speech", #"{"model":"m","input":"a"}"#),
        post("/v1/images/edits", form, type: formType), post("/v1/images/generations", #"{"model":"m","prompt":"a"}"#),
        chunked("/v1/chat/completions", [chat]), chunked("/v1/chat/completions", chat.map(String.init)),
        chunked("/v1/completions", ["{\"model\":", "\"m\"}"], trailers: "X-Trailer: a\r\n"),
        post("/v1/chat/completions", chat, "Expect: 100-continue\r\n"),
        post("/v1/chat/completions", chat, "Via: 1.1 rollcall-test\r\n"),
        post("/v1/chat/completions", chat, "Connection: close\r\n"), post("/api/chat", #"{"model":"o"}"#),
        post("/api/generate", #"{"model":"m","prompt":"a"}"#), post("/api/embed", #"{"model":"o:latest","input":"a"}"#),
        post("/api/embeddings", #"{"model":"none","prompt":"a"}"#),
    ]

    /// Several requests of one connection.
    private static let wholes = [
        reads[2] + reads[2] + inference[0] + reads[2], inference[0] + inference[12] + reads[0],
        writes[0] + reads[2] + writes[8] + reads[17],
    ]
}
