import Foundation
import Testing

@testable import Gateway

/// What a client is told whose request has no route.
@Suite struct RouteHintTests {
    private func message(_ method: String, _ path: String, status: Int = 404) async throws -> String {
        let answer = try await Bench().send(method, path)
        let code = status == 404 ? "route_not_found" : "method_not_allowed"
        #expect(answer.status == status, "\(method) \(path)")
        let whole = try answer.json()
        // Ollama's clients read the message itself.
        let error = whole["error"] as? [String: Any]
        #expect((error == nil) == (path.hasPrefix("/api/") && !Self.isOpenAIs(path)), "\(path)")
        if error == nil { #expect(whole["code"] as? String == code) } else { #expect(try answer.errorCode() == code) }
        let message = try #require((error == nil ? whole["error"] : error?["message"]) as? String)
        #expect(message.utf8.count < 500, "\(message)")
        return message
    }

    static let meant: [(method: String, path: String, route: String)] = [
        // One /v1 too many or too few.
        ("POST", "/v1/v1/chat/completions", "/v1/chat/completions"),
        ("POST", "/v1/v1/v1/messages", "/v1/messages"), ("POST", "/chat/completions", "/v1/chat/completions"),
        ("GET", "/models", "/v1/models"), ("GET", "/models/org/name", "/v1/models/org/name"),
        ("POST", "/responses", "/v1/responses"), ("GET", "//v1/models", "/v1/models"),
        ("GET", "/v1/openai/v1/models/a/b", "/v1/models/a/b"),
        // A base URL that is a route.
        ("POST", "/v1/chat/completions/chat/completions", "/v1/chat/completions"),
        ("GET", "/v1/chat/completions/models", "/v1/models"),
        // Bases of other products.
        ("POST", "/openai/v1/chat/completions", "/v1/chat/completions"),
        ("POST", "/openai/deployments/gpt-4o/chat/completions", "/v1/chat/completions"),
        ("POST", "/openai/deployments/e5/embeddings", "/v1/embeddings"),
        ("POST", "/v1/engines/davinci/completions", "/v1/completions"),
        ("POST", "/anthropic/v1/messages", "/v1/messages"), ("GET", "/api/v1/models", "/v1/models"),
        ("POST", "/api/v0/chat/completions", "/v1/chat/completions"), ("GET", "/api/models", "/v1/models"),
        ("POST", "/api/chat/completions", "/v1/chat/completions"), ("GET", "/v1/api/tags", "/api/tags"),
        ("POST", "/ollama/api/chat", "/api/chat"), ("GET", "/api/tag", "/api/tags"),
        ("POST", "/v1beta/openai/chat/completions", "/v1/chat/completions"),
        // Almost a route.
        ("POST", "/v1/chat/completion", "/v1/chat/completions"), ("POST", "/v1/chat", "/v1/chat/completions"),
        ("POST", "/v1/embedding", "/v1/embeddings"), ("GET", "/v1/model", "/v1/models"),
        ("GET", "/V1/Models", "/v1/models"), ("POST", "/v1/message", "/v1/messages"),
        ("POST", "/v1/chat-completions", "/v1/chat/completions"), ("GET", "/v0/endpoint", "/v0/endpoints"),
        ("POST", "/v0/endpoint", "/v0/endpoints"), ("GET", "/v0/key", "/v0/keys"), ("GET", "/v0/model", "/v0/models"),
        ("GET", "/endpoints", "/v0/endpoints"),
        ("POST", "/v1/endpoints", "/v0/endpoints"), ("POST", "/v1/keys", "/v0/keys"),
        // Probes.
        ("GET", "/health", "/healthz"), ("GET", "/HEALTHZ", "/healthz"), ("GET", "/v1/health", "/healthz"),
        ("GET", "/ready", "/readyz"), ("GET", "/livez", "/healthz"), ("GET", "/ping", "/healthz"),
    ]

    /// Bases of other products below which OpenAI's clients ask.
    private static func isOpenAIs(_ path: String) -> Bool {
        ["/api/v1/", "/api/v0/", "/api/models", "/api/chat/completions"].contains { path.hasPrefix($0) }
    }

    @Test(arguments: meant.indices) func theRouteThatWasMeantIsNamed(index: Int) async throws {
        let (method, path, route) = Self.meant[index]
        let message = try await message(method, path)
        #expect(message.contains("Did you mean \(route)?"), "\(message)")
    }

    @Test(arguments: ["/", "/v1", "/v1/", "/docs", "/openapi.json", "/nowhere", "/index.html", "/favicon.ico"])
    func elseTheBaseIsTold(path: String) async throws {
        for method in ["GET", "POST"] {
            let message = try await message(method, path)
            #expect(!message.contains("Did you mean"), "\(message)")
            #expect(message.contains("/v1") && message.contains("GET /v1/models"), "\(message)")
        }
    }

    @Test func theRootAndTheBaseSayWhatTheyAre() async throws {
        #expect(try await message("GET", "/").contains("Rollcall"))
        #expect(try await message("GET", "/v1").contains("base URL"))
        #expect(try await message("GET", "/docs").contains("no API description"))
    }

    /// Azure's clients name the model in the path.
    @Test func azuresClientsAreToldWhereTheModelGoes() async throws {
        let message = try await message("POST", "/openai/deployments/gpt-4o/chat/completions?api-version=2024-06-01")
        #expect(message.contains("\"model\""), "\(message)")
    }

    @Test func whatThereIsOfOllamasAPIIsTold() async throws {
        let message = try await message("POST", "/api/nothing")
        #expect(message.contains("/api/tags") && message.contains("Ollama's clients"), "\(message)")
    }

    @Test(arguments: ["GET", "POST", "DELETE"]) func noRouteThatIsRefusedIsMeant(method: String) async throws {
        for path in ["/api/nope", "/api/pulls", "/api/cop", "/api/pus", "/api/delet"] {
            let message = try await message(method, path)
            for refused in ["pull", "push", "create", "copy", "delete"] {
                #expect(!message.contains("/api/\(refused)?"), "\(path): \(message)")
            }
        }
    }

    @Test func belowAnotherProductsBaseOpenAIsBaseIsTold() async throws {
        let message = try await message("POST", "/api/v1/nothing")
        #expect(message.contains("OpenAI's clients") && !message.contains("Ollama"), "\(message)")
    }

    /// A base URL that ends in `/models` makes requests that fit a route of another method.
    @Test func otherMethodsAreToldWhatWasMeant() async throws {
        let message = try await message("POST", "/v1/models/chat/completions", status: 405)
        #expect(message.contains("Did you mean /v1/chat/completions?"), "\(message)")
        #expect(try await self.message("GET", "/v1/chat/completions", status: 405).contains("POST"))
    }

    @Test func aPathIsShownInSafeCharactersAndShort() async throws {
        for path in [
            "/" + String(repeating: "a/", count: 10_000), "/models/%0a%00%e2%80%ae", "/x/%22%3Cscript%3E",
            "/models/" + String(repeating: "m", count: 20_000), "/" + String(repeating: "%e2%80%ae", count: 1000),
        ] {
            let isSafe = try await message("GET", path).unicodeScalars.allSatisfy {
                $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
            }
            #expect(isSafe)
        }
    }
}
