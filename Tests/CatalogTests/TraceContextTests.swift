import AMQP
import Catalog
import Testing

@Suite struct TraceContextTests {
    static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test(arguments: [
        (parent, true), ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
        ("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false), ("", false), ("00-a-b-01", false),
        ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-\u{7F}", false),
        ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-" + String(repeating: "a", count: 500), false),
    ])
    func parents(value: String, isValid: Bool) {
        #expect(TraceContext.isValid(value) == isValid)
        #expect((TraceContext(parent: value, state: "a=1") != nil) == isValid)
    }

    @Test(arguments: [
        ("a=1,b=2", true), ("", false), ("a=\n", false), (String(repeating: "a", count: 512), true),
        (String(repeating: "a", count: 513), false),
    ])
    func aStateThatCannotBePassedOnIsLeftOut(state: String, isKept: Bool) throws {
        let trace = try #require(TraceContext(parent: Self.parent, state: state))
        #expect(trace.state == (isKept ? state : nil))
        #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
    }

    @Test func whatIsSentCarriesTheCurrentTrace() throws {
        let trace = try #require(TraceContext(parent: Self.parent, state: "a=1"))
        let mark = CatalogMessage.syncMark(SyncMark(id: "m"))
        var message = try TraceContext.$current.withValue(trace) { try mark.encoded() }
        #expect(
            message.headers["traceparent"] == .string(Self.parent) && message.headers["tracestate"] == .string("a=1"))
        #expect(message.trace == trace)
        #expect(try CatalogMessage(message) == mark)
        #expect(try mark.encoded().trace == nil)
        message.trace = nil
        #expect(message.headers == ["schema": .integer(1)])
        message.headers["traceparent"] = .integer(1)
        #expect(message.trace == nil)
    }
}
