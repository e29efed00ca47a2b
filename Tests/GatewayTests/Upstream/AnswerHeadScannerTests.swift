import NIOCore
import Testing

@testable import Gateway

@Suite struct AnswerHeadScannerTests {
    private func scan(_ text: String, isHeadRequest: Bool = false, size: Int = .max) -> AnswerHeadScanner.Outcome {
        var scanner = AnswerHeadScanner(isHeadRequest: isHeadRequest)
        var bytes = ByteBuffer()
        var outcome = AnswerHeadScanner.Outcome.needsMore
        for read in [ByteBuffer].cut(text, size) {
            bytes.writeImmutableBuffer(read)
            outcome = scanner.scan(&bytes)
            guard case .needsMore = outcome else { break }
        }
        return outcome
    }

    private func head(_ text: String, isHeadRequest: Bool = false, size: Int = .max) throws -> AnswerHead {
        guard case .head(let head) = scan(text, isHeadRequest: isHeadRequest, size: size) else {
            throw Missing(outcome: "\(scan(text))")
        }
        return head
    }

    private struct Missing: Error { let outcome: String }

    private func fault(_ text: String) -> AnswerFault? {
        guard case .refused(let fault) = scan(text) else { return nil }
        return fault
    }

    @Test(arguments: [.max, 1, 2, 7]) func findsHeadAndFields(size: Int) throws {
        let text = "HTTP/1.1 200 All right\r\nX-One: a\r\nx-empty:\r\nX-Two:\t b c \t\r\nX-N: caf\u{e9}\r\n\r\n"
        let head = try head(text, size: size)
        #expect(head.status == 200 && head.minorVersion == 1)
        #expect(head.text(head.reason) == "All right")
        #expect(head.fields.map { head.text($0.name) } == ["X-One", "x-empty", "X-Two", "X-N"])
        #expect(head.fields.map { head.text($0.value) } == ["a", "", "b c", "caf\u{e9}"])
        #expect("HTTP/1.1 200 All right\r\n" + head.fields.map { head.text($0.line) }.joined() + "\r\n" == text)
        #expect(head.value("x-two").map(head.text) == "b c")
        #expect(head.value("x-three") == nil)
        #expect(head.isNamed(head.fields[1], "x-empty") && !head.isNamed(head.fields[1], "x-one"))
        #expect(String(buffer: head.bytes) == text)
    }

    @Test(arguments: [.max, 1]) func readsOverTheHeadAndNoFurther(size: Int) {
        var scanner = AnswerHeadScanner(isHeadRequest: false)
        var bytes = ByteBuffer(string: "HTTP/1.1 103 X\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody")
        guard case .head = scanner.scan(&bytes) else {
            Issue.record("no head")
            return
        }
        #expect(String(buffer: bytes) == "body")
    }

    @Test(arguments: [
        ("Content-Length: 12\r\n", AnswerHead.Framing.length(12)),
        ("Content-Length: 12\r\ncontent-length:12\r\n", .length(12)),
        ("Content-Length: 9223372036854775807\r\n", .length(.max)), ("Content-Length: 0\r\n", .length(0)),
        ("Transfer-Encoding:\t Chunked  \r\n", .chunked), ("", .untilClose), ("Connection: close\r\n", .untilClose),
    ])
    func findsTheFraming(fields: String, framing: AnswerHead.Framing) throws {
        #expect(try head("HTTP/1.1 200 OK\r\n\(fields)\r\n").framing == framing)
        #expect(try head("HTTP/1.1 200 OK\r\n\(fields)\r\n", isHeadRequest: true).framing == .none)
        #expect(try head("HTTP/1.1 204 No Content\r\n\(fields)\r\n").framing == .none)
        #expect(try head("HTTP/1.1 304 Not Modified\r\n\(fields)\r\n").framing == .none)
    }

    @Test(arguments: [
        ("1.1", "Content-Length: 1\r\n", true), ("1.1", "", false),
        ("1.1", "Content-Length: 1\r\nConnection: a, Close\r\n", false),
        ("1.1", "Content-Length: 1\r\nConnection: closed\r\n", true), ("1.0", "Content-Length: 1\r\n", false),
        ("1.0", "Content-Length: 1\r\nConnection: Keep-Alive\r\n", true), ("1.0", "Connection: keep-alive\r\n", false),
        ("1.0", "Content-Length: 1\r\nConnection: keep-alive\r\nConnection: close\r\n", false),
        ("1.1", "Transfer-Encoding: chunked\r\n", true),
        ("1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", false),
    ])
    func knowsWhetherTheConnectionStays(version: String, fields: String, stays: Bool) throws {
        #expect(try head("HTTP/\(version) 200 OK\r\n\(fields)\r\n").keepsAlive == stays)
    }

    @Test func knowsHowLongTheConnectionStays() throws {
        #expect(try head("HTTP/1.1 200 OK\r\nKeep-Alive: max=9, Timeout=75\r\n\r\n").keepAliveSeconds == 75)
        #expect(try head("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=, x\r\n\r\n").keepAliveSeconds == nil)
    }

    @Test(arguments: [
        ("Content-Type: text/event-stream\r\n", true), ("content-type:Text/Event-Stream ; charset=UTF-8\r\n", true),
        ("Content-Type: text/event-streams\r\n", false), ("Content-Type: application/json\r\n", false), ("", false),
        ("Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n", false),
        ("Content-Type: text/event-stream\r\nContent-Encoding: Identity\r\n", true),
        ("Content-Type: text/event-stream\r\nContent-Type: text/plain\r\n", false),
        ("Content-Type: text/plain\r\nContent-Type: text/event-stream\r\n", false),
    ])
    func knowsEventStreams(fields: String, isEventStream: Bool) throws {
        #expect(try head("HTTP/1.1 200 OK\r\n\(fields)\r\n").isEventStream == isEventStream)
    }

    @Test(arguments: [
        ("Content-Type: application/x-ndjson\r\n", true),
        ("content-type:Application/X-NDJSON; charset=utf-8\r\n", true),
        ("Content-Type: application/json\r\n", false), ("Content-Type: text/event-stream\r\n", false), ("", false),
        ("Content-Type: application/x-ndjson\r\nContent-Encoding: gzip\r\n", false),
        ("Content-Type: text/plain\r\nContent-Type: application/x-ndjson\r\n", false),
    ])
    func knowsStreamsOfLines(fields: String, isLineStream: Bool) throws {
        #expect(try head("HTTP/1.1 200 OK\r\n\(fields)\r\n").isLineStream == isLineStream)
    }

    @Test func knowsWhatConnectionLists() throws {
        let head = try head(
            "HTTP/1.1 200 OK\r\nConnection: x-A\r\nX-a: 1\r\nX-b: 2\r\nconnection: c , X-B\r\nX-ab: 3\r\nX-c: 4\r\n\r\n"
        )
        #expect(head.fields.map(head.isListedInConnection) == [false, true, true, false, false, false])
    }

    @Test(arguments: [
        ("just text", AnswerFault.badStatusLine), ("SSH-2.0-x\r\n", .badStatusLine),
        ("\r\nHTTP/1.1 200 OK\r\n", .badStatusLine),
        ("HTTP/2.0 200 OK\r\n", .badStatusLine), ("HTTP/1.2 200 OK\r\n", .badStatusLine),
        ("http/1.1 200 OK\r\n", .badStatusLine),
        ("HTTP/1.1 20 OK\r\n", .badStatusLine), ("HTTP/1.1 2000 OK\r\n", .badStatusLine),
        ("HTTP/1.1\t200 OK\r\n", .badStatusLine),
        ("HTTP/1.1  200 OK\r\n", .badStatusLine), ("HTTP/1.1 \r\n", .badStatusLine),
        ("HTTP/1.1 200\tOK\r\n", .badStatusLine),
        ("HTTP/1.1 000 Odd\r\n", .badStatus), ("HTTP/1.1 600 Odd\r\n", .badStatus),
        ("HTTP/1.1 999 Odd\r\n", .badStatus),
        ("HTTP/1.1 101 Switching Protocols\r\n", .switchesProtocols), ("HTTP/1.1 200 OK\n", .bareLineFeed),
        ("HTTP/1.1 200 O\rK\r\n", .controlCharacter), ("HTTP/1.1 200 O\0K\r\n", .controlCharacter),
    ])
    func refusesStatusLine(text: String, expected: AnswerFault) { #expect(fault(text) == expected) }

    @Test(arguments: [
        ("X: a\n", AnswerFault.bareLineFeed), ("X: a\rb\r\n", .controlCharacter), ("X: a\0b\r\n", .controlCharacter),
        ("X: 12345678\u{1}12345678\r\n", .controlCharacter), ("X: a\u{7f}\r\n", .controlCharacter),
        ("X: a\r\n b\r\n", .foldedLine), (" X: a\r\n", .foldedLine), ("X: a\r\n\tb\r\n", .foldedLine),
        ("no colon\r\n", .badFieldName), ("nocolon\r\n", .badFieldName), ("X : a\r\n", .badFieldName),
        ("X Y: a\r\n", .badFieldName),
        (": a\r\n", .badFieldName), ("X(: a\r\n", .badFieldName), ("caf\u{e9}: a\r\n", .badFieldName),
        ("Content-Length: 2\r\nContent-Length: 3\r\n", .badLength), ("Content-Length: 2, 2\r\n", .badLength),
        ("Content-Length: -1\r\n", .badLength), ("Content-Length: +1\r\n", .badLength),
        ("Content-Length:\r\n", .badLength),
        ("Content-Length: 9223372036854775808\r\n", .badLength), ("Content-Length: 0x10\r\n", .badLength),
        ("Content-Length: 2\t\r\n", .badLength), ("Transfer-Encoding: chunked \t\r\n", .badTransferEncoding),
        ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", .twoFramings),
        ("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", .twoFramings),
        ("Transfer-Encoding: gzip, chunked\r\n", .badTransferEncoding),
        ("Transfer-Encoding: identity\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunked, chunked\r\n", .badTransferEncoding),
        ("Transfer-Encoding:\r\n", .badTransferEncoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .badTransferEncoding),
    ])
    func refusesField(fields: String, expected: AnswerFault) {
        #expect(fault("HTTP/1.1 200 OK\r\n\(fields)\r\n") == expected)
        #expect(fault("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\(fields)\r\n") == expected)
    }

    @Test func isBounded() throws {
        let line = "HTTP/1.1 200 OK\r\n"
        let many = (0..<256).map { "X-\($0): v\r\n" }.joined()
        #expect(try head(line + many + "\r\n").fields.count == 256)
        #expect(fault(line + many + "X: v\r\n\r\n") == .headTooLarge)
        let room = AnswerHeadScanner.byteLimit - line.utf8.count - "X: \r\n\r\n".utf8.count
        #expect(try head(line + "X: " + String(repeating: "a", count: room) + "\r\n\r\n").fields.count == 1)
        #expect(fault(line + "X: " + String(repeating: "a", count: room + 1) + "\r\n\r\n") == .headTooLarge)
        #expect(
            fault(String(repeating: line, count: 1) + "X: " + String(repeating: "a", count: 1 << 16)) == .headTooLarge)
        let interim = "HTTP/1.1 102 Processing\r\n\r\n"
        #expect(try head(String(repeating: interim, count: 8) + line + "\r\n").status == 200)
        #expect(fault(String(repeating: interim, count: 9) + line + "\r\n") == .tooManyInterimHeads)
    }
}
