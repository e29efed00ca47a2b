import Catalog
import Curl
import Foundation
import TestSupport
import Testing

@testable import Gateway

extension LiveInferenceTests {
    /// What goes on to the endpoint, and what comes back.
    @Suite struct ForwardingTests {
        @Test func theRequestGoesOnAsItCame() async throws {
            let requests = Record<RawRequest>()
            let upstream = RawServer.answeringRequests(
                #"{"object":"chat.completion"}"#, status: "201 Made",
                headers: "X-Own: a\r\nX-Own: b\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nConnection: X-Hop\r\n"
                    + "X-Rollcall-Endpoint: liar\r\n", requests: requests)
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let body =
                    "{ \"messages\" : [ {\"content\":\"\\u00e4 \\\"model\\\": \"} ],\n\"model\":\"m\" ,\"x\":1e5}"
                let answer = try await gateway.post(
                    body, path: "/v1/chat/completions?a=b%20c",
                    headers: [
                        ("Authorization", "Bearer client-secret"), ("Cookie", "a=b"), ("X-Own", "kept"),
                        ("Connection", "X-Gone"), ("X-Gone", "1"), ("X-Rollcall-Thing", "1"),
                        ("X-Request-Id", "request-7"), ("Accept-Encoding", "br;q=0.5"),
                        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                        ("tracestate", "a=1"),
                    ])
                #expect(answer.status == 201 && answer.text == #"{"object":"chat.completion"}"#)
                #expect(answer.headers.filter { $0.name.lowercased() == "x-own" }.map(\.value) == ["a", "b"])
                #expect(answer.header("keep-alive") == nil && answer.header("x-hop") == nil)
                #expect(answer.header("X-Rollcall-Endpoint") == "alpha")
                #expect(answer.header("X-Models-Etag") == gateway.bench.catalog.modelList.etag)
                #expect(answer.header("X-Request-Id") == "request-7")
                #expect(answer.header("Content-Length") == "28")

                let request = try #require(requests.all.first)
                #expect(request.line == "POST /v1/chat/completions?a=b%20c HTTP/1.1")
                #expect(request.text == body)
                for gone in ["Authorization", "Cookie", "X-Gone", "Connection", "X-Rollcall-Thing", "Expect"] {
                    #expect(request.header(gone) == nil, "\(gone)")
                }
                #expect(request.header("X-Own") == "kept" && request.header("X-Request-Id") == "request-7")
                #expect(request.header("Accept-Encoding") == "br;q=0.5")
                #expect(request.header("Host") == "127.0.0.1:\(upstream.port)")
                #expect(request.header("traceparent") == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                #expect(request.header("tracestate") == "a=1")
                try await eventually("the place is given back") {
                    gateway.dispatcher.inFlight(ListedEndpoint.id(1)) == 0
                }
            }
        }

        @Test func theEndpointsKeyTakesThePlaceOfTheClients() async throws {
            let requests = Record<RawRequest>()
            let upstream = RawServer.answeringRequests(requests: requests)
            let ring = try KeyRing(Bench.secretKey)
            var endpoint = ListedEndpoint(port: upstream.port)
            endpoint.sealed = try ring.seal("endpoint-secret", for: ListedEndpoint.id(1))
            try await withGateway([endpoint], adminKey: "admin-secret") { gateway async throws in
                let answer = try await gateway.post(headers: [("X-API-Key", "admin-secret")])
                #expect(answer.status == 200)
                let request = try #require(requests.all.first)
                #expect(request.header("Authorization") == "Bearer endpoint-secret")
                #expect(!request.head.contains("admin-secret"))
                let refused = try await gateway.post()
                #expect(refused.status == 401)
                #expect(try refused.errorCode() == "missing_api_key")
            }
        }

        @Test func aKeyThatCannotBeOpenedIsNotSentWithout() async throws {
            let upstream = RawServer.answeringRequests()
            var endpoint = ListedEndpoint(port: upstream.port)
            endpoint.sealed = "v1.0.nonsense"
            try await withGateway([endpoint]) { gateway async throws in
                let answer = try await gateway.post()
                #expect(answer.status == 502)
                #expect(try answer.errorCode() == "upstream_unreachable")
                #expect(upstream.connectionCount == 0)
            }
        }

        /// The endpoint knows a registered model by another id.
        @Test func aRegistrationsNameIsReplaced() async throws {
            let requests = Record<RawRequest>()
            let upstream = RawServer.answeringRequests(requests: requests)
            let endpoint = ListedEndpoint(port: upstream.port, models: ["hf.co/Org/Some-Model:Q4_K_M"])
            try await withGateway([endpoint], more: [registered("Org/Some-Model", quantization: "Q4_K_M")]) {
                gateway async throws in
                let answer = try await gateway.post(#"{"a":1, "model": "org\/some-model" ,"b":[2]}"#)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(requests.all.first?.text == #"{"a":1, "model": "hf.co/Org/Some-Model:Q4_K_M" ,"b":[2]}"#)
                let form =
                    "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\u{0}\u{1}--B\r\n"
                    + "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nOrg/Some-Model\r\n--B--\r\n"
                let heard = try await gateway.post(
                    form, path: "/v1/audio/transcriptions",
                    headers: [("Content-Type", "multipart/form-data; boundary=B")])
                #expect(heard.status == 200, "\(heard.text)")
                #expect(
                    requests.all.last?.text
                        == form.replacingOccurrences(of: "Org/Some-Model", with: "hf.co/Org/Some-Model:Q4_K_M"))
                #expect(requests.all.last?.header("Content-Type") == "multipart/form-data; boundary=B")
            }
        }

        @Test(arguments: [
            "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/rerank", "/v1/messages",
            "/v1/audio/speech", "/v1/images/generations",
        ])
        func everyRouteTakesJSON(path: String) async throws {
            let requests = Record<RawRequest>()
            let upstream = RawServer.answeringRequests(requests: requests)
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                #expect(try await gateway.post(path: path).status == 200)
                #expect(requests.all.first?.line == "POST \(path) HTTP/1.1")
                let wrong = try await gateway.post(path: path, headers: [("Content-Type", "text/plain")])
                #expect(try wrong.errorCode() == "content_type_required")
            }
        }

        @Test func answersGoThroughWhateverTheyAre() async throws {
            let html = RawServer { connection in
                while connection.readRequest() != nil {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")
                }
            }
            let redirect = RawServer.answeringRequests(
                "", status: "307 Elsewhere", headers: "Location: http://127.0.0.1:1/\r\n")
            let refusal = RawServer.answeringRequests(#"{"error":{"message":"no"}}"#, status: "422 No")
            try await withGateway([
                ListedEndpoint(name: "html", port: html.port, models: ["html"]),
                ListedEndpoint(name: "redirect", port: redirect.port, models: ["redirect"]),
                ListedEndpoint(name: "refusal", port: refusal.port, models: ["refusal"]),
            ]) { gateway async throws in
                let first = try await gateway.post(#"{"model":"html"}"#)
                #expect(first.status == 200 && first.text == "<html>" && first.header("content-type") == "text/html")
                let second = try await gateway.post(#"{"model":"redirect"}"#)
                // Its address is one of the endpoints' network, which the client need not reach.
                #expect(try second.status == 502 && second.errorCode() == "upstream_redirect")
                #expect(second.header("location") == nil)
                let third = try await gateway.post(#"{"model":"refusal"}"#)
                #expect(third.status == 422 && third.text == #"{"error":{"message":"no"}}"#)
            }
        }

        /// The connections are used again after an answer, with a length and without.
        @Test(arguments: [
            [#"{"model":"m"}"#], [#"{"model":"m","stream":true}"#],
            [#"{"model":"m","stream":true}"#, #"{"model":"m"}"#, #"{"model":"m"}"#],
        ])
        func connectionsAreKept(bodies: [String]) async throws {
            let lengths = [false, true, false, false, true, true]
            let headHasCome = DispatchSemaphore(value: 0)
            let upstream = RawServer { connection in
                for hasLength in lengths {
                    guard connection.readRequest() != nil else { return }
                    if hasLength {
                        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell")
                    } else {
                        connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
                        // An answer that is there as a whole would go on with its length.
                        headHasCome.wait()
                        connection.write("0\r\n\r\n")
                    }
                }
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let socket = await onThread { RawSocket.connect(port: gateway.port) }
                for (number, hasLength) in lengths.enumerated() {
                    let body = bodies[number % bodies.count]
                    let request =
                        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                    await onThread { _ = socket.write(request) }
                    let start = await onThread { socket.read(until: hasLength ? "well" : "2\r\nok\r\n") }
                    #expect(start.hasPrefix("HTTP/1.1 200 OK"))
                    #expect(start.lowercased().contains("content-length: 4") == hasLength)
                    guard !hasLength else { continue }
                    headHasCome.signal()
                    #expect(await onThread { socket.read(until: "0\r\n\r\n") } == "0\r\n\r\n")
                }
                #expect(upstream.connectionCount == 1)
            }
        }

        static let refused: [(String, Int, String)] = [
            ("", 400, "invalid_json"), ("{", 400, "invalid_json"), ("[]", 400, "invalid_json"),
            ("{}", 400, "model_required"), (#"{"model":""}"#, 400, "model_required"),
            (#"{"model":null}"#, 400, "model_required"), (#"{"model":5}"#, 400, "invalid_type"),
            (#"{"model":["m"]}"#, 400, "invalid_type"), (#"{"model":"m"}x"#, 400, "invalid_json"),
            (#"{"model":"m","model":"m"}"#, 400, "duplicate_field"),
            (#"{"model":"m","mod\u0065l":"other"}"#, 400, "duplicate_field"),
            (#"{"model":"none"}"#, 404, "model_not_found"), (#"{"model":"M"}"#, 404, "model_not_found"),
            (#"{"model":"away"}"#, 503, "model_not_available"), (#"{"model":"leaving"}"#, 503, "model_not_available"),
            (#"{"model":"org/some-model"}"#, 503, "model_not_available"),
        ]

        @Test func whatCannotBeSentOnIsRefused() async throws {
            let upstream = RawServer.answeringRequests()
            try await withGateway(
                [
                    ListedEndpoint(port: upstream.port),
                    ListedEndpoint(name: "off", port: upstream.port, models: ["away"], state: .offline),
                    ListedEndpoint(name: "drains", port: upstream.port, models: ["leaving"], draining: true),
                ], more: [registered("Org/Some-Model")]
            ) { gateway async throws in
                for (body, status, code) in Self.refused {
                    let answer = try await gateway.post(body)
                    #expect(answer.status == status, "\(body)")
                    #expect(try answer.errorCode() == code, "\(body)")
                    #expect(answer.header("X-Models-Etag") == gateway.bench.catalog.modelList.etag)
                    #expect((answer.header("Retry-After") != nil) == (status == 503))
                    if body.contains("away") { #expect(answer.text.contains("off (offline)")) }
                    if body.contains("leaving") { #expect(answer.text.contains("drains (draining)")) }
                    if body.contains("some-model") { #expect(answer.text.contains("registered")) }
                }
                let foreign = try await gateway.post(headers: [("Origin", "https://example.org")])
                #expect(foreign.status == 403)
                let gzip = try await gateway.post(headers: [("Content-Encoding", "gzip")])
                #expect(gzip.status == 415)
                #expect(upstream.connectionCount == 0)
            }
        }
    }
}

func registered(_ repo: String, quantization: String? = nil) -> CatalogMessage {
    let name = repo.lowercased()
    let manifest = Manifest(
        name: name, repo: repo, commit: "c", format: .gguf, quantization: quantization, sizeBytes: nil, files: [],
        createdAt: "2026-01-01T00:00:00Z", digest: "d")
    let record = RegistrationRecord(
        name: name, repo: repo, requestedRevision: "main", commit: "c", format: .gguf, quantization: quantization,
        manifest: manifest, hub: HubInfo(downloads: nil, likes: nil, lastModified: nil, fetchedAt: 0),
        generation: 90, revision: 90, createdAt: 1)
    return .registryChanged(RegistryChange(record))
}
