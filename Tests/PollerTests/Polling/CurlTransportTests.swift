import Curl
import FoundationEssentials
import Launch
import Logging
import TestSupport
import Testing

@testable import Poller

@Suite(.timeLimit(.minutes(1))) struct CurlTransportTests {
    private func answer(_ headers: String) async throws -> EndpointAnswer {
        let server = RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\(headers)\r\n{}")
        let client = HTTPClient()
        let answer = try await CurlTransport(client: client).get(server.url, key: nil, timeout: .seconds(10))
        await client.shutdown()
        return answer
    }

    @Test func aGatewayIsToldByTheVersionOfItsCatalog() async throws {
        #expect(try await answer("x-catalog-version: 1-47\r\n").isFromGateway)
        #expect(try await answer("").isFromGateway == false)
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
