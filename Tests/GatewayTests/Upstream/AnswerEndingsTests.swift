import NIOCore
import Testing

@testable import Gateway

/// How answers end or break off, and what the client has then.
@Suite struct AnswerEndingsTests {
    struct Ending: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: String
        var reset = false
        /// The client's payload, without an error event.
        let payload: String
        /// nil if the answer is whole.
        let fault: AnswerFault?
        var testDescription: String { name }
    }

    private static let first = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"
    private static let second = "data: {\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\n\n"
    private static let whole = first + second
    private static let half = "data: {\"choices\":[{\"del"
    private static let done = "data: [DONE]\n\n"
    private static let http10 = "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    private static let http11 = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

    private static func chunked(_ type: String = "text/event-stream", _ more: String = "") -> String {
        "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\n\(more)Transfer-Encoding: chunked\r\n\r\n"
    }

    private static func length(_ length: Int, _ type: String = "text/event-stream") -> String {
        "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: \(length)\r\n\r\n"
    }

    static let endings: [Ending] = [
        Ending(name: "HTTP/1.0, in an event", bytes: http10 + first + half, payload: first, fault: .incompleteEvent),
        Ending(
            name: "HTTP/1.0, in an event, reset", bytes: http10 + first + half, reset: true, payload: first,
            fault: .reset),
        Ending(
            name: "HTTP/1.0, behind an event, reset", bytes: http10 + whole, reset: true, payload: whole, fault: .reset),
        Ending(
            name: "HTTP/1.1 until close, in an event", bytes: http11 + first + half, payload: first,
            fault: .incompleteEvent),
        Ending(
            name: "in a line break", bytes: http10 + first + second.dropLast(), payload: first, fault: .incompleteEvent),
        Ending(name: "behind an event, no [DONE]", bytes: http10 + whole, payload: whole, fault: nil),
        Ending(name: "HTTP/1.0 JSON", bytes: "HTTP/1.0 200 OK\r\n\r\n{\"a", payload: "{\"a", fault: nil),
        Ending(
            name: "HTTP/1.0 JSON, reset", bytes: "HTTP/1.0 200 OK\r\n\r\n{\"a", reset: true, payload: "{\"a",
            fault: .reset),
        Ending(name: "HTTP/1.0 whole", bytes: http10 + whole + done, payload: whole + done, fault: nil),
        Ending(name: "no last chunk", bytes: chunked() + asChunk(first), payload: first, fault: .cutOff),
        Ending(
            name: "no last chunk, reset", bytes: chunked() + asChunk(first), reset: true, payload: first, fault: .reset),
        Ending(
            name: "chunked, in an event", bytes: chunked() + asChunk(first) + asChunk(half), payload: first,
            fault: .cutOff),
        Ending(
            name: "chunked, in a chunk", bytes: chunked() + asChunk(first) + "40\r\n" + half, payload: first,
            fault: .cutOff),
        Ending(
            name: "chunked, whole event in half a chunk", bytes: chunked() + "80\r\n" + whole + half, payload: whole,
            fault: .cutOff),
        Ending(name: "bad size", bytes: chunked() + asChunk(first) + "zz\r\nxx\r\n", payload: first, fault: .badChunk),
        Ending(
            name: "[DONE], no last chunk", bytes: chunked() + asChunk(whole) + asChunk(done), payload: whole + done,
            fault: .cutOff),
        Ending(
            name: "last chunk without CRLF", bytes: chunked() + asChunk(whole) + "0\r\n", payload: whole, fault: .cutOff
        ),
        Ending(name: "last chunk's digit", bytes: chunked() + asChunk(whole) + "0", payload: whole, fault: .cutOff),
        Ending(
            name: "proper end in an event", bytes: chunked() + asChunk(first) + asChunk(half) + "0\r\n\r\n",
            payload: first,
            fault: .incompleteEvent),
        Ending(
            name: "garbage behind the end", bytes: chunked() + asChunk(whole) + asChunk(done) + "0\r\n\r\nGARBAGE",
            payload: whole + done, fault: nil),
        Ending(name: "length", bytes: length(whole.utf8.count + 300) + first, payload: first, fault: .cutOff),
        Ending(name: "length, in an event", bytes: length(500) + first + half, payload: first, fault: .cutOff),
        Ending(
            name: "length, less than our event", bytes: length(first.utf8.count + 30) + first, payload: first,
            fault: .cutOff),
        Ending(name: "length, whole", bytes: length(first.utf8.count) + whole, payload: first, fault: nil),
        Ending(
            name: "length, ends in an event", bytes: length(first.utf8.count - 1) + first, payload: "",
            fault: .incompleteEvent),
        Ending(
            name: "JSON, length", bytes: length(300, "application/json") + "{\"a\":[", payload: "{\"a\":[",
            fault: .cutOff),
        Ending(
            name: "JSON, chunked", bytes: chunked("application/json") + asChunk("{\"a\":["), payload: "{\"a\":[",
            fault: .cutOff),
        Ending(
            name: "JSON, last chunk without CRLF", bytes: chunked("application/json") + asChunk("{}") + "0\r\n",
            payload: "{}",
            fault: .cutOff),
        Ending(
            name: "gzip", bytes: chunked("text/event-stream", "Content-Encoding: gzip\r\n") + asChunk("\u{1f}\u{8}"),
            payload: "\u{1f}\u{8}", fault: .cutOff),
        Ending(
            name: "type in upper case", bytes: chunked("Text/Event-Stream; charset=UTF-8") + asChunk(first),
            payload: first,
            fault: .cutOff),
        Ending(
            name: "lines of JSON", bytes: chunked("application/x-ndjson") + asChunk("{\"a\":1}\n{\"b"),
            payload: "{\"a\":1}\n{\"b",
            fault: .cutOff),
    ]

    @Test(arguments: endings, [.max, 1, 7, 64]) func endsAsItShould(_ ending: Ending, size: Int) {
        for clientMinorVersion in [0, 1] {
            let passed = PassedAnswer.pass(
                reads: .cut(ending.bytes, size), reset: ending.reset, clientMinorVersion: clientMinorVersion)
            let client = passed.decoded()
            #expect(String(decoding: client.payload, as: UTF8.self) == ending.payload)
            if let fault = ending.fault {
                #expect(passed.end == .broken(fault))
                #expect(!client.isWhole)
                #expect((passed.errorEvent != nil) == isEventStream(ending))
            } else {
                #expect(client.isWhole || passed.framing == .close)
                #expect(passed.errorEvent == nil)
                guard case .ended = passed.end else {
                    Issue.record("\(passed.end)")
                    continue
                }
            }
            // A client that takes the end of the last chunk's line for the end of the body must not see even that.
            if ending.fault != nil, passed.framing == .chunked { #expect(!passed.text.hasSuffix("\r\n0\r\n")) }
        }
    }

    private func isEventStream(_ ending: Ending) -> Bool {
        let head = ending.bytes.lowercased()
        return head.contains("text/event-stream") && !head.contains("gzip")
    }

    @Test func reportsWhatLiesBehindTheEnd() {
        let bytes = Self.chunked() + asChunk(Self.first) + "0\r\n\r\n"
        #expect(PassedAnswer.pass(reads: .cut(bytes + "GARBAGE")).end == .ended(surplus: 7))
        #expect(PassedAnswer.pass(reads: .cut(bytes + "GARBAGE", 1)).end == .ended(surplus: 7))
        #expect(PassedAnswer.pass(reads: .cut(bytes)).end == .ended(surplus: 0))
        #expect(PassedAnswer.pass(reads: .cut(Self.length(2) + "\n\nabc")).end == .ended(surplus: 3))
        #expect(PassedAnswer.pass(reads: .cut("HTTP/1.1 204 No Content\r\n\r\nab")).end == .ended(surplus: 2))
        #expect(PassedAnswer.pass(reads: .cut(Self.length(2)), isHeadRequest: true).end == .ended(surplus: 0))
    }
}
