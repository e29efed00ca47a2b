import TestSupport
import Testing

@testable import Gateway

/// The routes that README.md lists.
@Suite struct ReadmeRouteTests {
    private struct Listed: Hashable {
        let method: String
        let path: String
    }

    /// A method holds for all paths behind it, up to the next one.
    private static var listed: [Listed] {
        get throws {
            var method = ""
            var routes: [Listed] = []
            // A path that goes on from another one ("…/cancel") is not found, since no blank is before it.
            let word = #/\b(?:GET|POST|PATCH|DELETE)\b| \/(?:[A-Za-z0-9_.\/*-]|\{[^}]*\})+/#
            for line in try MarkdownFence.ofReadme(kind: "http").flatMap(\.lines) {
                for match in line.matches(of: word) {
                    let found = String(match.0)
                    if found.hasPrefix(" ") {
                        routes.append(Listed(method: method, path: String(found.dropFirst())))
                    } else {
                        method = found
                    }
                }
            }
            return routes
        }
    }

    /// No route has the method BREW, so nothing is done, and the answer says which methods there are.
    @Test func eachRouteIsThere() async throws {
        let listed = try Self.listed
        #expect(listed.count > 40)
        let bench = try Bench()
        for route in listed {
            let path = route.path.replacing("{org/name}", with: "org/name").replacing(#/\{[^}]*\}/#, with: "x")
                .replacing("*", with: "x")
            let answer = try await bench.send("BREW", path)
            let allowed = answer.header("Allow")?.split(separator: ", ").map(String.init) ?? []
            #expect(answer.status == 405 && allowed.contains(route.method), "\(route)")
        }
    }

    @Test func eachRouteIsListed() throws {
        let listed = Set(try Self.listed.map(\.path))
        for path in try Bench().responder.routes.offeredPaths { #expect(listed.contains(path), "\(path)") }
    }
}
