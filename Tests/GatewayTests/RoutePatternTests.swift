import HTTPTypes
import Testing

@testable import Gateway

@Suite struct RoutePatternTests {
    private func values(_ pattern: String, _ path: String) -> [String]? {
        RoutePattern(pattern).match(path).map { parameters in ["a", "b"].map { parameters[$0] } }
    }

    @Test func placeholdersTakeSegments() {
        #expect(values("/x/{a}", "/x/1") == ["1", ""])
        #expect(values("/x/{a}/y/{b}", "/x/1/y/2") == ["1", "2"])
        #expect(values("/x/{a...}", "/x/1/2//3/") == ["1/2//3/", ""])
        #expect(values("/x/{a...}", "/x//1") == ["/1", ""])
        for path in ["/x", "/x/", "/x/1/2", "x/1", "/X/1", "", "/", "/x//"] {
            #expect(values("/x/{a}", path) == nil, "\(path)")
        }
        for path in ["/x", "/x/", "/y/1"] { #expect(values("/x/{a...}", path) == nil, "\(path)") }
        #expect(RoutePattern("/x/y").isFixed && !RoutePattern("/x/{a}").isFixed && !RoutePattern("/{a...}").isFixed)
    }

    @Test func pathsWithoutPlaceholdersComeFirst() throws {
        let named: (String) -> Handler = { name in .loop { _ in Response(json: Array(name.utf8)) } }
        let table = RouteTable([
            Route(.get, "/x/{a...}", .open, named("rest")), Route(.get, "/x/{a}/y", .open, named("later")),
            Route(.get, "/x/fixed", .open, named("fixed")), Route(.put, "/x/fixed", .write, named("put")),
        ])
        #expect(try table.match(.get, path: "/x/fixed").route.name == "/x/fixed")
        #expect(try table.match(.put, path: "/x/f%69xed/").route.access == .write)
        #expect(try table.match(.head, path: "/x/other").route.name == "/x/{a...}")
        #expect(try table.match(.get, path: "/x/1/y").route.name == "/x/{a...}", "the first of two that fit")
        #expect(table.allow(path: "/x/fixed") == "GET, HEAD, PUT" && table.allow(path: "/y") == nil)
        #expect(table.allow(path: "/%zz") == nil)
        let match = try table.match(.get, path: "/x/%2F1%20/")
        #expect(match.path == "/x//1 " && match.parameters["a"] == "/1 ")
    }

    /// Each is what a client asks for whose base URL has one `/v1` too few or too many, or is of another API.
    @Test(arguments: [
        ("/v1/v1/chat/completions", "/v1/chat/completions"), ("/chat/completions", "/v1/chat/completions"),
        ("/models", "/v1/models"), ("/openai/v1/chat/completions", "/v1/chat/completions"),
        ("//v1/chat/completions", "/v1/chat/completions"), ("/v1/openai/v1/models/a/b", "/v1/models/a/b"),
        ("/models/org/name", "/v1/models/org/name"), ("/v1/api/tags", "/api/tags"), ("/v1", "/v1"), ("/v1/", "/v1"),
        ("/ollama/api/chat", "/api/chat"),
        ("/", "/v1"), ("/nowhere", "/v1"), ("/" + String(repeating: "a/", count: 10_000), "/v1"),
    ])
    func usualMistakesAreTold(_ path: String, _ hint: String) async throws {
        let bench = try Bench()
        for method in ["GET", "POST"] {
            let answer = try await bench.send(method, path)
            #expect(try answer.status == 404 && answer.errorCode() == "route_not_found")
            let error = try #require(answer.json()["error"] as? [String: Any])
            let message = try #require(error["message"] as? String)
            #expect(message.contains(hint) && message.count < 400, "\(message)")
            #expect(message.contains("Did you mean") == (hint.count > 3), "\(message)")
        }
    }
}
