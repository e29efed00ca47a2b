import Catalog
import Foundation
import Testing

@testable import Poller

struct GenerationTests {
    @Test func requestIsTheLeastThatProvesAModelRuns() throws {
        let body = try Generation.request(ModelID("org/m \"x\""))
        let json = try #require(JSONSerialization.jsonObject(with: Data(body)) as? NSDictionary)
        #expect(
            json == [
                "model": "org/m \"x\"", "messages": [["role": "user", "content": "Say hello."]], "max_tokens": 2,
                "temperature": 0, "stream": false,
            ])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var status = 200
        var body: String
        var tokens: Int?
        var text: String?
        var failure: Generation.Failure?
        var testDescription: String { "\(status) \(body.prefix(90))" }
    }

    static func ok(_ body: String, _ tokens: Int?, _ text: String?, status: Int = 200) -> Case {
        Case(status: status, body: body, tokens: tokens, text: text)
    }

    static func fails(_ status: Int, _ body: String, _ code: String, _ message: String) -> Case {
        Case(status: status, body: body, failure: .init(code, message))
    }

    static func choice(_ message: String, usage: String = "") -> String {
        #"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":"# + message + "}]" + usage + "}"
    }

    static let successes = [
        ok(
            choice(#"{"role":"assistant","content":"Hello there"}"#, usage: #","usage":{"completion_tokens":2}"#), 2,
            "Hello there"),
        ok(choice(#"{"content":"Hi"}"#), nil, "Hi"),
        ok(choice(#"{"content":"Hi"}"#, usage: #","usage":null"#), nil, "Hi"),
        ok(choice(#"{"content":"Hi"}"#, usage: #","usage":{"total_tokens":5}"#), nil, "Hi"),
        ok(
            choice(#"{"content":null,"reasoning_content":"Okay"}"#, usage: #","usage":{"completion_tokens":2}"#), 2,
            "Okay"),
        ok(choice(#"{"content":"","reasoning":"Hm"}"#), nil, "Hm"),
        ok(choice(#"{"content":""}"#, usage: #","usage":{"completion_tokens":1}"#), 1, nil),
        ok(choice(#"{"content":null}"#, usage: #","usage":{"completion_tokens":1}"#), 1, nil),
        ok(choice(#"{"content":"Hi"}"#) + "\n", nil, "Hi", status: 201),
        ok(choice(#"{"content":"Hi"}"#, usage: #","error":null"#), nil, "Hi"),
        ok(
            choice(#"{"content":""# + String(repeating: "é", count: 60) + #""}"#), nil,
            String(repeating: "é", count: 40)),
        ok(choice(#"{"content":"key sk-secret!"}"#), nil, "key …!"),
    ]

    static let failures = [
        fails(200, choice(#"{"content":""}"#), "no_token", "a chat completion without a single token"),
        fails(
            200, choice(#"{"content":"Hi"}"#, usage: #","usage":{"completion_tokens":0}"#), "no_token",
            "a chat completion without a single token"),
        fails(200, choice("null"), "no_completion", "JSON, but no chat completion"),
        fails(200, #"{"choices":[]}"#, "no_completion", "JSON, but no chat completion"),
        fails(200, #"{"choices":[{"text":"Hi"}]}"#, "no_completion", "JSON, but no chat completion"),
        fails(200, "[]", "no_completion", "JSON, but no chat completion"),
        fails(200, #"{"error":"Unexpected endpoint or method."}"#, "error_body", "Unexpected endpoint or method."),
        fails(200, #"{"error":{"message":"no\nsuch sk-secret"}}"#, "error_body", "no such …"),
        fails(200, #"{"error":{}}"#, "error_body", "an error"),
        fails(200, "", "empty_body", "HTTP 200 with an empty body"),
        fails(200, "<html>", "html", "HTTP 200 with a page of HTML or XML in place of JSON"),
        fails(200, #"{"choices":["#, "truncated", "the JSON ends early, after 12 bytes"),
        fails(200, "data: {}", "not_json", "not JSON: broken at byte 0 of 8"),
        fails(302, "", "redirected", "HTTP 302: redirects are not followed"),
        fails(
            401, #"{"error":{"message":"Incorrect API key provided: sk-s*****"}}"#, "unauthorized",
            "HTTP 401: the endpoint wants an API key, or refused the one it got"),
        fails(403, "", "forbidden", "HTTP 403: the endpoint does not allow this"),
        fails(404, #"{"error":{"message":"model 'm' not found"}}"#, "http_status", "HTTP 404: model 'm' not found"),
        fails(
            404, #"{"object":"error","message":"The model `m` does not exist.","code":404}"#, "http_status",
            "HTTP 404: The model `m` does not exist."),
        fails(422, #"{"detail":"Bad key sk-secret"}"#, "http_status", "HTTP 422: Bad key …"),
        fails(500, "<html>sk-secret</html>", "http_status", "HTTP 500"),
        fails(
            503, #"{"error":{"message":""# + String(repeating: "x", count: 300) + #""}}"#, "http_status",
            "HTTP 503: " + String(repeating: "x", count: 200)),
    ]

    @Test(arguments: successes + failures) func answersAreRead(_ expected: Case) {
        let answer = EndpointAnswer(status: expected.status, body: Array(expected.body.utf8))
        do throws(Generation.Failure) {
            let success = try Generation.read(answer, key: "sk-secret")
            #expect(expected.failure == nil)
            #expect(success == Generation.Success(tokens: expected.tokens, text: expected.text))
        } catch {
            #expect(error == expected.failure)
        }
    }
}
