import Foundation
import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    /// Against `openssl s_server` with a certificate made for the test.
    @Suite struct TLSTests {
        @Test func certificateThatNobodySigned() async throws {
            let server = try TLSServer(name: "IP:127.0.0.1")
            try await withClient { client async throws in
                let error = await client.failure(executing: HTTPRequest(url: server.url))
                #expect(error?.code == .tls)
                #expect(error?.message.contains("self-signed") == true)
            }
        }

        @Test func trustedAuthority() async throws {
            let server = try TLSServer(name: "IP:127.0.0.1")
            try await withClient(server.configuration) { client async throws in
                #expect(try await client.execute(HTTPRequest(url: server.url)).status == 200)
            }
        }

        /// Besides the authority of the first server, which stands for the system's here.
        @Test func additionalAuthority() async throws {
            let (first, second, third) = (try TLSServer(), try TLSServer(), try TLSServer())
            var configuration = HTTPClient.Configuration()
            configuration.caFile = first.certificate
            configuration.additionalCAFile = second.certificate
            try await withClient(configuration) { client async throws in
                #expect(try await client.execute(HTTPRequest(url: first.url)).status == 200)
                #expect(try await client.execute(HTTPRequest(url: second.url)).status == 200)
                #expect(await client.failure(executing: HTTPRequest(url: third.url))?.code == .tls)
            }
            configuration.caFile = nil
            try await withClient(configuration) { client async throws in
                #expect(try await client.execute(HTTPRequest(url: second.url)).status == 200)
                #expect(await client.failure(executing: HTTPRequest(url: first.url))?.code == .tls)
            }
        }

        @Test func additionalAuthorityThatCannotBeRead() async throws {
            var configuration = HTTPClient.Configuration()
            configuration.additionalCAFile = "/nowhere/ca.pem"
            try await withClient(configuration) { client async throws in
                let error = await client.failure(executing: HTTPRequest(url: "https://127.0.0.1:1/"))
                #expect(error?.code == .tls && error?.message.contains("/nowhere/ca.pem") == true)
            }
        }

        @Test func certificateOfAnotherHost() async throws {
            let server = try TLSServer(name: "DNS:other.example")
            try await withClient(server.configuration) { client async throws in
                let error = await client.failure(executing: HTTPRequest(url: server.url))
                #expect(error?.code == .tls)
            }
        }

        @Test func serverThatSpeaksNoTLS() async throws {
            let server = RawServer { connection in
                _ = connection.read(1)
                connection.write("HTTP/1.1 400 Bad Request\r\n\r\n")
            }
            try await withClient { client async throws in
                let url = server.url.replacing("http:", with: "https:")
                let error = await client.failure(executing: HTTPRequest(url: url))
                #expect(error?.code == .tls)
            }
        }

        @Test func handshakeThatHangs() async throws {
            let server = RawServer { $0.waitForClose() }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url.replacing("http:", with: "https:")) {
                    $0.connectTimeout = .milliseconds(200)
                }
                let error = await client.failure(executing: request)
                #expect(error?.code == .connectTimeout)
            }
        }
    }
}

/// `openssl s_server -www` on a port of its own; ended with the object.
private final class TLSServer {
    let url: String
    /// The path of its certificate, which is its own authority.
    let certificate: String
    var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.caFile = certificate
        return configuration
    }
    private let process: Subprocess
    private let folder: URL

    /// `name` as in subjectAltName.
    init(name: String = "IP:127.0.0.1") throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let key = folder.appendingPathComponent("key.pem").path
        certificate = folder.appendingPathComponent("certificate.pem").path
        _ = try run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=\(name)",
        ])
        // Port 0 is chosen by the system and told on the first line, `ACCEPT 127.0.0.1:port`.
        process = try Subprocess([
            "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-key", key, "-cert", certificate,
        ])
        var text = ""
        while !text.contains(/ACCEPT .*:\d+\n/) {
            let bytes = process.read()
            guard !bytes.isEmpty else { throw Subprocess.Failed(command: "openssl s_server") }
            text += String(decoding: bytes, as: UTF8.self)
        }
        let port = try #require(text.firstMatch(of: /ACCEPT .*:(\d+)\n/)?.output.1)
        url = "https://127.0.0.1:\(port)/"
    }

    deinit {
        do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
    }
}
