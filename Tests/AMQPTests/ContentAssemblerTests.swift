import Testing

@testable import AMQP

@Suite struct ContentAssemblerTests {
    let delivery = ContentAssembler.Kind.delivery(tag: 1, redelivered: false)

    @Test func interleavedChannelsAreKeptApart() throws {
        var assembler = ContentAssembler()
        try assembler.begin(delivery, channel: 2)
        try assembler.begin(.returned(code: 312, text: "NO_ROUTE"), channel: 1)
        #expect(try assembler.header(MessageProperties(type: "two"), bodySize: 3, channel: 2) == nil)
        #expect(try assembler.header(MessageProperties(type: "one"), bodySize: 1, channel: 1) == nil)
        #expect(try assembler.body([1, 2], channel: 2) == nil)
        let one = try #require(try assembler.body([9], channel: 1))
        let two = try #require(try assembler.body([3], channel: 2))
        #expect(one.body == [9] && one.properties.type == "one" && one.kind == .returned(code: 312, text: "NO_ROUTE"))
        #expect(two.body == [1, 2, 3] && two.properties.type == "two" && two.kind == delivery)
    }

    @Test func anEmptyBodyHasNoFrame() throws {
        var assembler = ContentAssembler()
        try assembler.begin(delivery, channel: 2)
        #expect(try assembler.header(MessageProperties(), bodySize: 0, channel: 2)?.body == [])
        try assembler.begin(delivery, channel: 2)
    }

    @Test func framesOutOfPlaceAreRefused() throws {
        var assembler = ContentAssembler()
        #expect(throws: ContentAssembler.OutOfPlace.self) {
            try assembler.header(MessageProperties(), bodySize: 1, channel: 2)
        }
        #expect(throws: ContentAssembler.OutOfPlace.self) { try assembler.body([1], channel: 2) }
        try assembler.begin(delivery, channel: 2)
        #expect(throws: ContentAssembler.OutOfPlace.self) { try assembler.begin(delivery, channel: 2) }
        #expect(throws: ContentAssembler.OutOfPlace.self) { try assembler.body([1], channel: 2) }
    }

    @Test func moreThanTheHeaderSaidIsRefused() throws {
        var assembler = ContentAssembler()
        try assembler.begin(delivery, channel: 2)
        _ = try assembler.header(MessageProperties(), bodySize: 2, channel: 2)
        #expect(throws: ContentAssembler.OutOfPlace.self) { try assembler.body([1, 2, 3], channel: 2) }
    }

    @Test func aClosedChannelLeavesNothing() throws {
        var assembler = ContentAssembler()
        try assembler.begin(delivery, channel: 2)
        assembler.forget(channel: 2)
        try assembler.begin(delivery, channel: 2)
    }
}
