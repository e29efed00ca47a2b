import Testing

@testable import AMQP

@Suite struct BrokerURLTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let text: String
        let secure: Bool
        let host: String
        let port: UInt16
        let user: String
        let password: String
        let vhost: String
        var testDescription: String { text }

        init(
            _ text: String, secure: Bool = false, host: String = "h", port: UInt16 = 5672, user: String = "guest",
            password: String = "guest", vhost: String = "/"
        ) {
            self.text = text
            self.secure = secure
            self.host = host
            self.port = port
            self.user = user
            self.password = password
            self.vhost = vhost
        }
    }

    @Test(arguments: [
        Row("amqp://h"),
        Row("amqp://h/"),
        Row("amqp://h/%2F"),
        Row("amqps://h", secure: true, port: 5671),
        Row("amqp://h:1234/v", port: 1234, vhost: "v"),
        Row("amqp://u:p@h", user: "u", password: "p"),
        Row("amqp://u@h", user: "u", password: ""),
        Row("amqp://u:p:q@h", user: "u", password: "p:q"),
        Row("amqp://a%40b:p%3A%2f%25@h/x%2Fy", user: "a@b", password: "p:/%", vhost: "x/y"),
        Row("amqp://u:p@ss@h", user: "u", password: "p@ss"),
        Row("amqp://%C3%A9:p@h", user: "é", password: "p"),
        Row("amqp://[::1]:99", host: "::1", port: 99),
        Row("amqps://u:p@[fe80::1]/v", secure: true, host: "fe80::1", port: 5671, user: "u", password: "p", vhost: "v"),
    ])
    func isRead(_ row: Row) throws {
        let url = try BrokerURL(row.text)
        #expect(url.isSecure == row.secure)
        #expect(url.host == row.host)
        #expect(url.port == row.port)
        #expect(url.user == row.user)
        #expect(url.password == row.password)
        #expect(url.vhost == row.vhost)
    }

    @Test(arguments: [
        "http://secret:secret@h", "secret", "amqp://", "amqp://secret:secret@", "amqp://secret:secret@h:0",
        "amqp://secret:secret@h:65536", "amqp://secret:secret@h:x", "amqp://secret:secret@h/a/b",
        "amqp://secret:secret@h/?heartbeat=1", "amqp://secret:secret@h#f", "amqp://secret%:secret@h",
        "amqp://secret:secret%4@h", "amqp://secret:secret%FF@h", "amqp://secret:secret%00@h",
        "amqp://secret:secret@[::1",
        "amqp://secret:secret@[::1]x",
    ])
    func isRefusedWithoutRepeatingIt(_ text: String) {
        let error = #expect(throws: AMQPError.self) { try BrokerURL(text) }
        #expect(error?.code == .configuration)
        #expect(error?.description.contains("secret") == false)
    }

    @Test func addressHasNoCredentials() throws {
        #expect(try BrokerURL("amqp://u:p@[::1]:5/v").address == "[::1]:5")
        #expect(try BrokerURL("amqps://u:p@h").address == "h:5671")
    }
}
