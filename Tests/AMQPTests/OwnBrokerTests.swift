import Foundation
import Testing

@testable import AMQP

/// What changes a whole broker, and so has one of its own: alarms and listeners.
@Suite(.enabled(if: LiveBroker.isAvailable), .timeLimit(.minutes(2))) struct OwnBrokerTests {
    @Test func alarmsBlockAndTLSIsVerified() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "amqp-broker-\(UUID().uuidString)").path
        let url = try await LiveBroker.run("start", folder)
        do {
            let certificates = try await Certificates.make(in: folder)
            let port = try await openTLSListener(folder, certificates)
            try await onlyTheRightCertificateIsTrusted(port, certificates)
            try await anAlarmBlocksUntilItIsOver(folder, url)
        } catch {
            Issue.record(error)
        }
        try await LiveBroker.run("stop", folder)
        try FileManager.default.removeItem(atPath: folder)
    }

    private func anAlarmBlocksUntilItIsOver(_ folder: String, _ url: String) async throws {
        let topology = LiveBroker.Names().topology(["x-queue-type": .string("classic")])
        let exchange = topology.exchanges[0].name
        try await withConnection(configuration(url), topology) { connection in
            await connection.waitUntilConnected()
            try await LiveBroker.run("ctl", folder, "set_vm_memory_high_watermark", "0")
            // The broker says so at the first message, which it then leaves unread or unanswered.
            let receipt = try connection.send(message(), to: exchange, routingKey: "k", timeout: .seconds(60))
            #expect(await receipt.failure() == .unconfirmed)
            guard case .blocked = connection.status else {
                Issue.record("the status is \(connection.status)")
                return
            }
            let error = #expect(throws: AMQPError.self) {
                try connection.send(message(), to: exchange, routingKey: "k")
            }
            #expect(error?.code == .blocked)
            try await LiveBroker.run("ctl", folder, "set_vm_memory_high_watermark", "0.9")
            await connection.waitUntilConnected()
            try await connection.publish(message(), to: exchange, routingKey: "k")
        }
    }

    private func onlyTheRightCertificateIsTrusted(_ port: Int, _ certificates: Certificates) async throws {
        var right = configuration("amqps://guest:guest@localhost:\(port)/")
        right.tls = ConnectionConfiguration.TLS(caFile: certificates.authority)
        let names = LiveBroker.Names()
        try await withConnection(right, names.topology(["x-queue-type": .string("classic")])) { connection in
            let subscription = try await connection.subscribe(to: names.queue, prefetch: 1)
            // Several TLS records, so that some are in OpenSSL's buffer where poll does not see them.
            let sent = message(bytes: 300_000)
            try await connection.publish(sent, to: names.exchange, routingKey: "k")
            var deliveries = subscription.makeAsyncIterator()
            #expect(try await deliveries.next()?.message == sent)
        }
        var wrongName = right
        wrongName.urls = ["amqps://guest:guest@127.0.0.1:\(port)/"]
        try await withConnection(wrongName) { connection in
            #expect(await connection.waitForReason("certificate").contains("another host's"))
        }
        var wrongAuthority = right
        wrongAuthority.tls = ConnectionConfiguration.TLS(caFile: certificates.otherAuthority)
        try await withConnection(wrongAuthority) { connection in
            #expect(await connection.waitForReason("certificate").contains("not trusted"))
        }
    }

    /// The node is running already, so the listener is opened from within. Returns its port.
    private func openTLSListener(_ folder: String, _ certificates: Certificates) async throws -> Int {
        let free = try await LiveBroker.command(
            "/usr/bin/env",
            [
                "python3", "-c",
                "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])",
            ])
        let port = try #require(Int(free))
        let options = """
            [{cacertfile, "\(certificates.authority)"}, {certfile, "\(certificates.certificate)"}, \
            {keyfile, "\(certificates.key)"}, {versions, ['tlsv1.2']}]
            """
        try await LiveBroker.run(
            "ctl", folder, "eval",
            "rabbit_networking:ensure_ssl(), ok = rabbit_networking:start_ssl_listener({\"127.0.0.1\", \(port)}, \(options), 1)."
        )
        return port
    }
}

/// An authority, a certificate by it for `localhost`, and an authority that signed nothing.
struct Certificates: Sendable {
    let authority: String
    let otherAuthority: String
    let certificate: String
    let key: String

    static func make(in folder: String) async throws -> Certificates {
        func openssl(_ arguments: String...) async throws {
            try await LiveBroker.command("/usr/bin/env", ["openssl"] + arguments)
        }
        for name in ["ca", "other"] {
            try await openssl(
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-keyout",
                "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem")
        }
        try await openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:false", "-CA", "\(folder)/ca.pem",
            "-CAkey", "\(folder)/ca.key", "-keyout", "\(folder)/server.key", "-out", "\(folder)/server.pem")
        return Certificates(
            authority: "\(folder)/ca.pem", otherAuthority: "\(folder)/other.pem", certificate: "\(folder)/server.pem",
            key: "\(folder)/server.key")
    }
}
