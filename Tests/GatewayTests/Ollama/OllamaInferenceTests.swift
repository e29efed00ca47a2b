import Catalog
import Curl
import Foundation
import TestSupport
import Testing

@testable import Gateway

extension Curl.HTTPResponse {
    /// The message and the code, once the body is shown to have exactly the shape that Ollama's clients read.
    func ollamaError() throws -> (message: String, code: String) {
        let whole = try #require(JSONSerialization.jsonObject(with: Data(body)) as? [String: Any], "\(text)")
        #expect(Set(whole.keys) == ["error", "code"], "\(text)")
        return (try #require(whole["error"] as? String), try #require(whole["code"] as? String))
    }
}

extension LiveInferenceTests {
    /// Requests in Ollama's own API.
    @Suite struct OllamaInferenceTests {
        private static let lineStream =
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"

        private static func chunk(_ text: String) -> String {
            "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
        }

        private func ollama(_ name: String, _ port: Int, _ models: [String] = ["m:latest"]) -> ListedEndpoint {
            ListedEndpoint(name: name, port: port, models: models, kind: .ollama)
        }

        @Test(arguments: ["/api/chat", "/api/generate", "/api/embed", "/api/embeddings"])
        func onlyOllamaEndpointsAreAsked(path: String) async throws {
            let requests = Record<RawRequest>()
            let upstream = RawServer.answeringRequests(#"{"done":true}"#, requests: requests)
            let other = RawServer.answeringRequests(#"{"object":"chat.completion"}"#)
            let endpoints = [
                ListedEndpoint(name: "vllm", port: other.port, models: ["m:latest", "m"]), ollama("own", upstream.port),
            ]
            try await withGateway(endpoints) { gateway async throws in
                for _ in 0..<6 {
                    let answer = try await gateway.post(#"{"model":"m:latest","x":[1]}"#, path: path)
                    #expect(answer.status == 200 && answer.text == #"{"done":true}"#)
                    #expect(answer.header("X-Rollcall-Endpoint") == "own")
                }
                // Another endpoint's model of the short name is not what Ollama's clients mean by it.
                let short = try await gateway.post(#"{"model":"m","x":[1]}"#, path: path)
                #expect(short.status == 200 && short.header("X-Rollcall-Endpoint") == "own", "\(short.text)")
                #expect(requests.all.last?.line == "POST \(path) HTTP/1.1")
                #expect(requests.all.last?.text == #"{"model":"m:latest","x":[1]}"#)
            }
        }

        @Test(arguments: [
            ("/api/chat", "/v1/chat/completions"), ("/api/generate", "/v1/completions"),
            ("/api/embed", "/v1/embeddings"), ("/api/embeddings", "/v1/embeddings"),
        ])
        func aModelOfOtherKindsOnlyNamesTheRouteToUse(path: String, route: String) async throws {
            let other = RawServer.answeringRequests()
            let endpoints = [
                ListedEndpoint(name: "vllm", port: other.port, models: ["m"]),
                ListedEndpoint(name: "down", port: other.port, models: ["o:1b"], state: .offline, kind: .ollama),
                ListedEndpoint(name: "up", port: other.port, models: ["o:1b"]),
            ]
            try await withGateway(endpoints) { gateway async throws in
                let answer = try await gateway.post(#"{"model":"m"}"#, path: path)
                let (message, code) = try answer.ollamaError()
                #expect(answer.status == 501 && code == "model_not_on_ollama")
                #expect(message.contains(route + ".") && message.contains("\"m\""), "\(message)")
                let unknown = try await gateway.post(#"{"model":"none"}"#, path: path)
                #expect(try unknown.status == 404 && unknown.ollamaError().code == "model_not_found")
                // It may come back: the client is to try again.
                let offline = try await gateway.post(#"{"model":"o:1b"}"#, path: path)
                #expect(try offline.status == 503 && offline.ollamaError().code == "model_not_available")
                #expect(offline.header("Retry-After") == "5")
            }
        }

        @Test func theModelsKeyObeysTheRulesOfAllInference() async throws {
            let upstream = RawServer.answeringRequests()
            try await withGateway([ollama("own", upstream.port)]) { gateway async throws in
                for (body, code) in [
                    ("{}", "model_required"), (#"{"name":"m"}"#, "model_required"),
                    (#"{"Model":"m"}"#, "invalid_field"),
                    (#"{"model":"m","MODEL":"n"}"#, "duplicate_field"), (#"{"model":1}"#, "invalid_type"),
                    ("[", "invalid_json"),
                ] {
                    let answer = try await gateway.post(body, path: "/api/chat")
                    #expect(try answer.status == 400 && answer.ollamaError().code == code, "\(body)")
                }
                let query = try await gateway.post(path: "/api/chat?model=n")
                #expect(try query.status == 400 && query.ollamaError().code == "invalid_field")
                let form = try await gateway.post(
                    path: "/api/chat", headers: [("Content-Type", "application/x-www-form-urlencoded")])
                // What curl sends by itself.
                #expect(try form.ollamaError().message.contains("application/json"), "\(form.text)")
            }
        }

        /// A key for `m:latest` may say `m`, which means the same.
        @Test func aKeysPatternsMeanTheTagLatestAsWell() async throws {
            let requests = Record<RawRequest>()
            let upstream = RawServer.answeringRequests(requests: requests)
            let keys = [("tagged", "m:latest"), ("short", "m"), ("other", "n*")].map {
                Keys.made($0.0, scopes: [.inference], models: [$0.1])
            }
            try await withGateway(
                [ollama("own", upstream.port, ["m:latest", "m:7b"])],
                more: keys + [Keys.made("reader", scopes: [.models])], adminKey: Keys.admin
            ) { gateway async throws in
                func ask(_ model: String, _ key: String) async throws -> Curl.HTTPResponse {
                    try await gateway.post(
                        "{\"model\":\"\(model)\"}", path: "/api/chat", headers: [("Authorization", "Bearer rc_" + key)])
                }
                for key in ["tagged", "short"] {
                    #expect(try await ask("m", key).status == 200, "\(key)")
                    #expect(requests.all.last?.text == #"{"model":"m:latest"}"#)
                    #expect(try await ask("m:7b", key).status == 404, "\(key)")
                }
                let unseen = try await ask("m", "other")
                #expect(try unseen.status == 404 && unseen.ollamaError().code == "model_not_found")
                let refused = try await ask("m", "reader")
                #expect(try refused.status == 403 && refused.ollamaError().code == "insufficient_scope")
                let nobody = try await gateway.post(path: "/api/chat")
                #expect(try nobody.status == 401 && nobody.ollamaError().code == "missing_api_key")
            }
        }

        @Test func aRequestIsRepeatedAfterSilenceAndGoesOnAfterA404OfTheModel() async throws {
            let silent = RawServer { connection in _ = connection.readRequest() }
            let missing = RawServer.answeringRequests(
                #"{"error":"model 'm:latest' not found"}"#, status: "404 Not Found")
            let good = RawServer.answeringRequests(#"{"done":true}"#)
            try await withGateway(
                [ollama("a", silent.port), ollama("b", missing.port), ollama("c", good.port)]
            ) { gateway async throws in
                for path in ["/api/chat", "/api/generate", "/api/embed"] {
                    let answer = try await gateway.post(#"{"model":"m"}"#, path: path)
                    #expect(answer.status == 200 && answer.header("X-Rollcall-Endpoint") == "c", "\(answer.text)")
                }
            }
        }

        /// The endpoint sends a line only once the client has seen the one before. A line that is not complete waits.
        @Test func linesComeThroughOneByOne() async throws {
            let seen = (0..<5).map { _ in Event() }
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write(Self.lineStream)
                for (number, signal) in seen.enumerated() {
                    connection.write(Self.chunk("{\"n\":"))
                    connection.write(Self.chunk("\(number)}\n"))
                    signal.blockUntilHappened()
                }
                connection.write("0\r\n\r\n")
            }
            try await withGateway([ollama("own", upstream.port)]) { gateway async throws in
                let stream = try await gateway.client.stream(gateway.request(#"{"model":"m"}"#, path: "/api/chat"))
                #expect(stream.header("content-type") == "application/x-ndjson")
                var iterator = stream.makeAsyncIterator()
                for (number, signal) in seen.enumerated() {
                    var line = ""
                    while !line.hasSuffix("\n") {
                        line += String(decoding: try #require(try await iterator.next()), as: UTF8.self)
                    }
                    #expect(line == "{\"n\":\(number)}\n")
                    signal.happen()
                }
                #expect(try await iterator.next() == nil)
            }
        }

        /// Ollama's own clients raise an error at a line with `error`. Behind it the body has no end.
        @Test(arguments: [true, false])
        func aBrokenStreamEndsWithAnErrorLineAndWithoutAnEnd(isInsideLine: Bool) async throws {
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write(Self.lineStream + Self.chunk("{\"n\":0}\n"))
                if isInsideLine { connection.write(Self.chunk("{\"n\":")) }
            }
            try await withGateway([ollama("own", upstream.port)]) { gateway async throws in
                let text = await raw(gateway)
                let line = #"{"error":"The endpoint broke off its answer."}"# + "\n"
                #expect(text.hasSuffix(Self.chunk("{\"n\":0}\n") + Self.chunk(line)), "\(text)")
            }
        }

        /// A last line without its line break is half a line, although the endpoint ended its answer.
        @Test func anAnswerThatEndsInsideALineIsBroken() async throws {
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write(Self.lineStream + Self.chunk("{\"n\":0}\n{\"n\":") + "0\r\n\r\n")
                connection.waitForClose()
            }
            try await withGateway([ollama("own", upstream.port)]) { gateway async throws in
                let text = await raw(gateway)
                #expect(
                    text.contains(#"{"error":"The endpoint broke off its answer."}"#) && !text.hasSuffix("0\r\n\r\n"))
                #expect(!text.contains("{\"n\":\r\n"), "\(text)")
            }
        }

        /// All that one chat brings, with its framing.
        private func raw(_ gateway: LiveGateway) async -> String {
            let port = gateway.port
            return await onThread {
                let socket = RawSocket.connect(port: port)
                let body = #"{"model":"m"}"#
                socket.write(
                    "POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
                return socket.readRest()
            }
        }

        /// Both requests wait for the endpoint that has room for one. When the catalog changes, the chat of Ollama must
        /// not be given a place at the endpoint of another kind that has the model by then.
        @Test func aWaitingRequestIsGivenToNoOtherKind() async throws {
            let release = Event()
            let arrived = Event()
            let upstream = RawServer { connection in
                while connection.readRequest() != nil {
                    arrived.happen()
                    release.blockUntilHappened()
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                }
            }
            let other = RawServer.answeringRequests()
            var own = ollama("own", upstream.port)
            own.maximum = 1
            try await withGateway([own]) { gateway async throws in
                async let first = gateway.post(#"{"model":"m:latest"}"#, path: "/api/chat")
                await arrived.wait()
                async let waiting = gateway.post(#"{"model":"m:latest"}"#, path: "/api/chat")
                async let openAI = gateway.post(#"{"model":"m:latest"}"#)
                try await eventually("both wait") { gateway.dispatcher.waiting == 2 }
                let vllm = ListedEndpoint(name: "vllm", port: other.port, models: ["m:latest"])
                gateway.bench.catalog.apply(vllm.messages(2))
                let watch = RoutingWatch(
                    effects: AsyncStream { _ in }, catalog: gateway.bench.catalog, dispatcher: gateway.dispatcher,
                    lifeSigns: LifeSigns { _ in })
                watch.apply([.snapshotApplied(id: ListedEndpoint.id(2))])
                #expect(try await openAI.header("X-Rollcall-Endpoint") == "vllm")
                #expect(gateway.dispatcher.waiting == 1)
                release.happen()
                #expect(try await first.header("X-Rollcall-Endpoint") == "own")
                #expect(try await waiting.header("X-Rollcall-Endpoint") == "own")
            }
        }
    }
}
