import Catalog
import Curl
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Gateway

extension LiveInferenceTests {
    /// What the log says of each request if the operator wants to know.
    @Suite struct AccessLogTests {
        /// Keeps the metadata of each line.
        private final class Lines: Sendable {
            private let held = Mutex<[Logger.Metadata]>([])
            func add(_ line: Logger.Metadata) { held.withLock { $0.append(line) } }
            var all: [[String: String]] {
                held.withLock { $0.map { $0.mapValues { "\($0)" } } }
            }

            /// The next line but so many. It is written a moment after the client has its answer.
            func line(_ index: Int) async throws -> [String: String] {
                try await eventually("line \(index)") { all.count > index }
                return all[index]
            }
        }

        private func serve(
            _ endpoints: [ListedEndpoint], _ body: @escaping @Sendable (LiveGateway, Lines) async throws -> Void
        ) async throws {
            let messages = endpoints.enumerated().flatMap { $1.messages($0 + 1) }
            let bench = try Bench(
                messages + [Keys.made("laptop", scopes: [.models, .inference])], adminKey: Keys.admin)
            let lines = Lines()
            // The setting of the access log decides, not the level.
            let logger = Logger(label: "gateway") { _ in EventLogHandler(logLevel: .error) { lines.add($1) } }
            try await bench.serve(accessLogger: logger) { gateway in try await body(gateway, lines) }
        }

        private static let key = ("Authorization", "Bearer rc_laptop")

        @Test func passedOnAnswers() async throws {
            let upstream = RawServer.answeringRequests()
            try await serve([ListedEndpoint(port: upstream.port)]) { gateway, lines in
                let answer = try await gateway.post(
                    path: "/v1/chat/completions?secret=in-the-query", headers: [Self.key])
                #expect(answer.status == 200)
                let line = try await lines.line(0)
                #expect(line["method"] == "POST" && line["route"] == "/v1/chat/completions")
                #expect(line["status"] == "200" && line["model"] == "m" && line["endpoint"] == "alpha")
                #expect(line["key"] == "laptop" && line["client"] == "127.0.0.1")
                #expect(line["request_id"] == answer.header("X-Request-Id"))
                #expect(line["ms"].flatMap { Int($0) } != nil)
                #expect((line["bytes"].flatMap { Int($0) } ?? 0) > answer.body.count)
                #expect(line["broken_by"] == nil && line["path"] == nil)
                #expect(!"\(line)".contains("rc_laptop") && !"\(line)".contains("in-the-query"))
            }
        }

        /// Each has a line, and the route is the pattern. The bytes of one connection's requests are counted apart.
        @Test func ownAnswers() async throws {
            try await serve([ListedEndpoint(port: refusingPort())]) { gateway, lines in
                let list = "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: \(Keys.admin)\r\n\r\n"
                let lengths = await onThread {
                    let socket = RawSocket.connect(port: gateway.port)
                    defer { socket.close() }
                    return (0..<2).map { _ -> Int in
                        socket.write(list)
                        let head = socket.readHead() ?? ""
                        let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                        let body = socket.read(length.flatMap { Int($0.dropFirst(16)) } ?? 0)
                        return head.utf8.count + 4 + body.count  // The head comes without its empty line.
                    }
                }
                for index in 0...1 {
                    let line = try await lines.line(index)
                    #expect(line["route"] == "/v1/models" && line["status"] == "200" && line["key"] == "admin")
                    #expect(line["bytes"] == "\(lengths[index])")
                }
                var request = Curl.HTTPRequest(url: "http://127.0.0.1:\(gateway.port)/v1/models/some/model")
                request.headers = [Self.key]
                #expect(try await gateway.client.execute(request).status == 404)
                let entry = try await lines.line(2)
                #expect(entry["route"] == "/v1/models/{id...}" && entry["status"] == "404" && entry["key"] == "laptop")
            }
        }

        @Test func refusedRequests() async throws {
            try await serve([ListedEndpoint(port: refusingPort())]) { gateway, lines in
                // No key, an unknown key, no such route, an endpoint that is away, and bytes that are no request.
                _ = try await gateway.post()
                _ = try await gateway.post(headers: [("Authorization", "Bearer rc_stolen")])
                _ = try await gateway.post(path: "/v1/nowhere?key=secret", headers: [Self.key])
                _ = try await gateway.post(headers: [Self.key])
                await onThread {
                    let socket = RawSocket.connect(port: gateway.port)
                    socket.write("\u{16}\u{3}\u{1}\r\n\r\n")
                    _ = socket.readRest()
                    socket.close()
                }
                for index in 0...1 {
                    let line = try await lines.line(index)
                    #expect(line["status"] == "401" && line["route"] == "/v1/chat/completions" && line["key"] == nil)
                    #expect(!"\(line)".contains("stolen"))
                }
                let unknown = try await lines.line(2)
                #expect(unknown["status"] == "404" && unknown["route"] == nil && unknown["path"] == "/v1/nowhere")
                let away = try await lines.line(3)
                #expect(away["status"] == "502" && away["model"] == "m" && away["endpoint"] == "alpha")
                let noRequest = try await lines.line(4)
                #expect(
                    noRequest["status"] == "400" && noRequest["client"] == "127.0.0.1" && noRequest["method"] == nil)
            }
        }

        @Test func cancelledRequests() async throws {
            let hasCome = Event()
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                hasCome.happen()
                connection.waitForClose()
            }
            try await serve([ListedEndpoint(port: upstream.port)]) { gateway, lines in
                let body = #"{"model":"m"}"#
                await onThread {
                    let socket = RawSocket.connect(port: gateway.port)
                    socket.write(
                        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                            + "X-API-Key: rc_laptop\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
                    hasCome.blockUntilHappened()
                    socket.close()
                }
                let line = try await lines.line(0)
                #expect(line["broken_by"] == "client_gone" && line["status"] == nil && line["bytes"] == "0")
                #expect(line["model"] == "m" && line["endpoint"] == "alpha" && line["key"] == "laptop")
                #expect(line["client"] == "127.0.0.1")
            }
        }

        @Test func answersThatBreakOff() async throws {
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
                connection.write("Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
            }
            try await serve([ListedEndpoint(port: upstream.port)]) { gateway, lines in
                _ = try? await gateway.post(headers: [Self.key])
                let line = try await lines.line(0)
                #expect(line["broken_by"] == "upstream_broken" && line["status"] == "200")
                #expect(line["endpoint"] == "alpha")
            }
        }
    }
}
