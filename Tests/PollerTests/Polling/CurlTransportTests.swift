import Curl
import FoundationEssentials
import Launch
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Poller

@Suite(.timeLimit(.minutes(1))) struct CurlTransportTests {
    private func answer(_ headers: String) async throws -> EndpointAnswer {
        let server = RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\(headers)\r\n{}")
        let client = HTTPClient()
        let answer = try await CurlTransport(client: client).send(
            EndpointRequest(url: server.url), timeout: .seconds(10))
        await client.shutdown()
        return answer
    }

    @Test func aGatewayIsToldByTheVersionOfItsCatalog() async throws {
        #expect(try await answer("x-catalog-version: 1-47\r\n").isFromGateway)
        #expect(try await answer("").isFromGateway == false)
    }

    @Test func theKeyGoesWhereTheKindOfServerLooksForIt() async throws {
        let heads = Received()
        let server = RawServer { socket in
            heads.append((socket.readHead() ?? "").lowercased())
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        }
        let client = HTTPClient()
        let transport = CurlTransport(client: client)
        for request in [
            EndpointRequest(url: server.url, key: "sk-1"),
            EndpointRequest(url: server.url, key: "sk-2", isAnthropic: true),
            EndpointRequest(url: server.url, body: Array("{}".utf8)),
        ] { _ = try await transport.send(request, timeout: .seconds(10)) }
        await client.shutdown()
        let sent = heads.all
        #expect(sent.count == 3)
        #expect(sent[0].contains("authorization: bearer sk-1") && !sent[0].contains("anthropic"))
        #expect(sent[1].contains("x-api-key: sk-2") && sent[1].contains("anthropic-version: 2023-06-01"))
        #expect(!sent[1].contains("authorization"))
        #expect(sent[2].hasPrefix("post / ") && sent[2].contains("content-type: application/json"))
        #expect(!sent[2].contains("authorization"))
    }

    private final class Received: Sendable {
        private let texts = Mutex<[String]>([])

        var all: [String] { texts.withLock { $0 } }

        func append(_ text: String) { texts.withLock { $0.append(text) } }
    }

    @Test func authoritiesOfEndpointsAreTrustedBesidesTheSystems() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "ca-\(UUID().uuidString).pem")
        try Data("-----BEGIN CERTIFICATE-----\n".utf8).write(to: path)
        let settings = ProcessSettings(environment: ["ROLLCALL_ENDPOINT_CA_FILE": path.path()])
        let common = CommonSettings(
            amqpURLs: [], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let process = try PollerProcess(settings: settings, common: common)
        #expect(process.http.additionalCAFile == path.path() && process.http.caFile == nil)
        try FileManager.default.removeItem(at: path)
        #expect(throws: SettingError.self) { try PollerProcess(settings: settings, common: common) }
        #expect(PollerProcess.settings.contains(EndpointAuthorities.setting))
    }
}
