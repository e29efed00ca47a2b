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
}
