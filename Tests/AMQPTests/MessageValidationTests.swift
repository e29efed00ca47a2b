import Testing

@testable import AMQP

@Suite struct MessageValidationTests {
    let long = String(repeating: "x", count: 256)

    func code(_ message: Message, exchange: String = "e", routingKey: String = "k") -> AMQPError.Code? {
        do throws(AMQPError) {
            try message.validate(exchange: exchange, routingKey: routingKey)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func refusesWhatTheWireHasNoRoomFor() {
        let good = Message(body: [1], type: "t", messageID: "m", headers: ["h": .string(long)])
        #expect(code(good) == nil)
        #expect(code(good, exchange: long) == .invalidMessage)
        #expect(code(good, routingKey: long) == .invalidMessage)
        var bad = [good, good, good, good, good, good]
        bad[0].body = []
        bad[1].type = long
        bad[2].messageID = long
        bad[3].contentType = long
        bad[4].headers[long] = .bool(true)
        bad[5].headers["h"] = .string(String(repeating: "x", count: 1 << 16))
        for message in bad { #expect(code(message) == .invalidMessage) }
        let largest = Message(body: [UInt8](repeating: 1, count: 16 << 20), type: "t", messageID: "m")
        #expect(code(largest) == nil)
        bad[0].body = largest.body + [1]
        #expect(code(bad[0]) == .invalidMessage)
    }
}
