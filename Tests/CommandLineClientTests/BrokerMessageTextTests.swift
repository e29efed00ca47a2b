import AMQP
import Testing

@testable import CommandLineClient

@Suite("Messages of the broker for people") struct BrokerMessageTextTests {
    @Test(arguments: [
        (#"{"id":"m"}"#, #"{"id":"m"}"#), ("not json", "(8 bytes that are not JSON)"),
        (
            #"{"endpoint":{"name":"a","sealed_api_key":"c2VhbGVk"}}"#,
            #"{"endpoint":{"name":"a","sealed_api_key":"(sealed)"}}"#
        ),
        (
            #"{"records":[{"key":{"digest":"beef","name":"k"}}]}"#,
            #"{"records":[{"key":{"digest":"(left out)","name":"k"}}]}"#
        ),
        (#"{"rows":[{"digest":"beef"}]}"#, #"{"rows":[{"digest":"beef"}]}"#),
        (#"{"error":"\u001b[31mred\u202e"}"#, #"{"error":"\u001b[31mred?"}"#),
    ])
    func line(body: String, shown: String) {
        let message = Message(body: Array(body.utf8), type: "a.type", messageID: "x")
        #expect(BrokerMessageText.line(message, at: 42) == "42  a.type  \(shown)")
    }

    @Test(arguments: [("30s", "30s"), ("5m", "5m"), ("2h", "2h"), ("1d", "1D")])
    func ages(argument: String, text: String) {
        #expect(StreamAge(argument: argument)?.text == text)
    }

    @Test(arguments: ["", "5", "m", "0m", "-5m", "5M", "5 m", "1.5h", "5min", "99999999999h"])
    func noAges(argument: String) { #expect(StreamAge(argument: argument) == nil) }
}
