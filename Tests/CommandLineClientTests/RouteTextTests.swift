import Foundation
import Testing

@testable import CommandLineClient

@Suite("Routes in messages")
struct RouteTextTests {
    @Test(
        "A route becomes the command that asks for it",
        arguments: [
            (
                "No model has this id; GET /v1/models lists all.",
                "No model has this id; 'rollcall models list' lists all."
            ),
            ("see GET /v0/operations/a-1.", "see 'rollcall operations watch a-1'."),
            ("If GET /v0/keys lists 3f, revoke it", "If 'rollcall keys list' lists 3f, revoke it"),
            ("GET /v0/models/hub says who does", "'rollcall models registered' says who does"),
            ("HTTP 404 at GET /v1/other", "HTTP 404 at GET /v1/other"), ("the folder /v1", "the folder /v1"),
        ])
    func commands(message: String, said: String) {
        #expect(RouteText.withCommands(message) == said)
    }

    @Test("No message of the gateway or the registrar names a route that has no command")
    func sources() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources")
        var found = 0
        for folder in ["Gateway", "Registrar", "Catalog"] {
            let files = try #require(
                FileManager.default.enumerator(at: root.appendingPathComponent(folder), includingPropertiesForKeys: nil)
            )
            for case let file as URL in files where file.pathExtension == "swift" {
                let text = try String(contentsOf: file, encoding: .utf8)
                for line in text.split(separator: "\n") where !line.drop(while: \.isWhitespace).hasPrefix("//") {
                    // A message, not a line of a request.
                    guard line.contains(#/(GET|POST|PATCH|DELETE) \/v/#), !line.contains("HTTP/1.1") else { continue }
                    found += 1
                    #expect(!RouteText.withCommands(String(line)).contains(#/(GET|POST|PATCH|DELETE) \/v/#), "\(line)")
                }
            }
        }
        #expect(found > 5)
    }

    @Test("Every command that takes a route's place exists")
    func existing() throws {
        for route in [
            "GET /v1/models", "GET /v0/models", "GET /v0/models/hub", "POST /v0/models/register", "GET /v0/endpoints",
            "POST /v0/endpoints", "GET /v0/endpoints/a", "PATCH /v0/endpoints/a", "DELETE /v0/endpoints/a",
            "POST /v0/endpoints/a/poll", "GET /v0/keys", "POST /v0/keys", "DELETE /v0/keys/a", "GET /v0/operations/a",
            "POST /v1/chat/completions",
        ] {
            let words = RouteText.withCommands(route).trimmingPrefix("'").dropLast().split(separator: " ").map(
                String.init)
            #expect(words.first == "rollcall", "\(route)")
            #expect(NearNames.correction(Array(words.dropFirst())) == nil, "\(route)")
        }
    }

    @Test("Without a key, or with a wrong one, it says where the key comes from; a wrong address says so")
    func keys() async throws {
        let missing = try await rollcall("models", "list") { _ in
            .json(
                #"{"error":{"message":"Send it as `Authorization: Bearer …`.","type":"authentication_error","#
                    + #""code":"missing_api_key"}}"#, status: 401)
        }
        #expect(missing.status == .notPermitted && missing.failure?.code == "missing_api_key")
        #expect(missing.failure?.message == "the gateway answers only to those who have a key")
        #expect(
            missing.failure?.hint == "Put the key into ROLLCALL_API_KEY, or into a file and that into --api-key-file.")
        let wrong = try await rollcall("models", "list") { _ in .error(401, "invalid_api_key") }
        #expect(wrong.failure?.message == "why invalid_api_key")
        #expect(wrong.failure?.hint == "The key is that of ROLLCALL_API_KEY, or of the file in --api-key-file.")
        let written = try await rollcall("keys", "revoke", "3f") { _ in .error(401, "key_expired") }
        #expect(written.failure?.hint?.contains("ROLLCALL_API_KEY") == true)
        let path = try await rollcall("models", "list") { _ in .error(404, "route_not_found") }
        #expect(path.status == .notFound && path.failure?.hint?.contains("--url or ROLLCALL_URL") == true)
    }
}
