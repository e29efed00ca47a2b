import NIOCore
import Testing

@testable import Gateway

@Suite struct AnswerPassageTests {
    private static let sse = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    private static let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    private static let chunked = "Transfer-Encoding: chunked\r\n\r\n"
    private static let event = "data: a\n\n"

    struct Rule: Sendable, CustomTestStringConvertible {
        let name: String
        let answer: String
        var clientMinorVersion = 1
        let framing: AnswerPassage.ClientFraming
        let output: String
        var testDescription: String { name }
    }

    static let rules: [Rule] = [
        Rule(name: "length", answer: json + "Content-Length: 2\r\n\r\n{}", framing: .length(2), output: "{}"),
        Rule(
            name: "length to 1.0", answer: json + "Content-Length: 2\r\n\r\n{}", clientMinorVersion: 0,
            framing: .length(2),
            output: "{}"),
        Rule(name: "nothing", answer: json + "Content-Length: 0\r\n\r\n", framing: .length(0), output: ""),
        Rule(name: "204", answer: "HTTP/1.1 204 No Content\r\n\r\n", framing: .none, output: ""),
        Rule(
            name: "chunks with extensions and trailers", answer: json + chunked + "02;a=b\r\n{}\r\n0;c\r\nT: u\r\n\r\n",
            framing: .chunked, output: "02;a=b\r\n{}\r\n0;c\r\nT: u\r\n\r\n"),
        Rule(
            name: "chunks to 1.0", answer: json + chunked + "02;a=b\r\n{}\r\n0;c\r\nT: u\r\n\r\n",
            clientMinorVersion: 0,
            framing: .close, output: "{}"),
        Rule(name: "until close", answer: json + "\r\n{}", framing: .chunked, output: "2\r\n{}\r\n0\r\n\r\n"),
        Rule(name: "until close to 1.0", answer: json + "\r\n{}", clientMinorVersion: 0, framing: .close, output: "{}"),
        Rule(name: "until close, nothing", answer: json + "\r\n", framing: .chunked, output: "0\r\n\r\n"),
        Rule(
            name: "events with a length", answer: sse + "Content-Length: 9\r\n\r\n" + event, framing: .chunked,
            output: "9\r\ndata: a\n\n\r\n0\r\n\r\n"),
        Rule(
            name: "events with a length to 1.0", answer: sse + "Content-Length: 9\r\n\r\n" + event,
            clientMinorVersion: 0,
            framing: .close, output: event),
        Rule(
            name: "no events", answer: sse + "Content-Length: 0\r\n\r\n", framing: .chunked, output: "0\r\n\r\n"),
        Rule(
            name: "events until close", answer: sse + "\r\n" + event, framing: .chunked,
            output: "9\r\ndata: a\n\n\r\n0\r\n\r\n"),
        Rule(
            name: "events in chunks", answer: sse + chunked + "09;a=b\r\ndata: a\n\n\r\n0\r\nT: u\r\n\r\n",
            framing: .chunked,
            output: "09;a=b\r\ndata: a\n\n\r\n0\r\nT: u\r\n\r\n"),
        Rule(
            name: "events in chunks to 1.0", answer: sse + chunked + asChunk(event) + "0\r\nT: u\r\n\r\n",
            clientMinorVersion: 0,
            framing: .close, output: event),
        Rule(
            name: "an event over two chunks",
            answer: sse + chunked + asChunk("data:") + asChunk(" a\n\n") + "0\r\n\r\n",
            framing: .chunked, output: asChunk("data:") + asChunk(" a\n\n") + "0\r\n\r\n"),
        Rule(
            name: "ends with CR", answer: sse + chunked + asChunk("data: a\r\r") + "0\r\n\r\n", framing: .chunked,
            output: asChunk("data: a\r\r") + "0\r\n\r\n"),
        Rule(
            name: "ends in a comment", answer: sse + "\r\n" + event + ": x", framing: .chunked,
            output: asChunk(event) + asChunk(": x") + "0\r\n\r\n"),
    ]

    @Test(arguments: rules) func passesInTheClientsFraming(rule: Rule) {
        let passed = PassedAnswer.pass(reads: .cut(rule.answer), clientMinorVersion: rule.clientMinorVersion)
        #expect(passed.framing == rule.framing)
        #expect(passed.text == rule.output)
        #expect(passed.end == .ended(surplus: 0))
    }

    private func passage(_ head: String, clientMinorVersion: Int = 1, dialect: EventDialect = .openAI) throws
        -> AnswerPassage
    {
        var scanner = AnswerHeadScanner(isHeadRequest: false)
        var bytes = ByteBuffer(string: head)
        guard case .head(let head) = scanner.scan(&bytes) else { throw AnswerFault.badStatusLine }
        return AnswerPassage(head: head, clientMinorVersion: clientMinorVersion, dialect: dialect)
    }

    /// What goes out for each read.
    private func texts(_ passage: inout AnswerPassage, _ reads: [String]) -> [String] {
        reads.map { read in
            var output: [ByteBuffer] = []
            _ = passage.pass(ByteBuffer(string: read), into: &output)
            return output.map { String(buffer: $0) }.joined()
        }
    }

    @Test func holdsTheIncompleteEvent() throws {
        var passage = try passage(Self.sse + Self.chunked)
        let (one, two) = (asChunk("data: a\n\ndata: "), asChunk("b\n\ndata: c\n\n"))
        let whole = asChunk(Self.event)
        // The read that is raw again comes behind the one that ends at a boundary.
        #expect(
            texts(
                &passage,
                [whole, one, two, whole, String(whole.prefix(5)), String(whole.dropFirst(5)) + whole, "0\r\n", "\r\n"])
                == [
                    whole, asChunk("data: a\n\n"), asChunk("data: b\n\ndata: c\n\n"), whole, "", whole + whole, "",
                    "0\r\n\r\n",
                ])
        #expect(passage.passedPayload == 7 * 9)
    }

    /// Chunks before the incomplete one pass as they are, with their extensions.
    @Test func passesRawUpToTheLastBoundary() throws {
        var passage = try passage(Self.sse + Self.chunked)
        let whole = "9;x\r\ndata: a\n\n\r\n"
        #expect(
            texts(&passage, [whole + whole + "9;x\r\ndata", ": a\n\n\r\n" + whole + whole]) == [
                whole + whole, asChunk(Self.event) + whole + whole,
            ])
    }

    @Test func holdsALineOfChunksThatIsIncomplete() throws {
        var passage = try passage(Self.json + Self.chunked)
        #expect(
            texts(&passage, ["2", "\r\n{}\r\n00", "2;a\r", "\n{}\r\n0", "\r\nT: ", "u\r\n\r\n"])
                == ["", "2\r\n{}\r\n", "", "002;a\r\n{}\r\n", "", "0\r\nT: u\r\n\r\n"])
    }

    @Test func copiesNoPayload() throws {
        let large = "data: " + String(repeating: "a", count: 10_000) + "\n\n"
        for (head, bytes) in [
            (Self.sse + Self.chunked, asChunk(Self.event)), (Self.json + Self.chunked, asChunk("{}")),
            (Self.json + "\r\n", large),
            (Self.json + "Content-Length: 50000\r\n\r\n", large), (Self.sse + "\r\n", large),
            (Self.sse + "Content-Length: 50000\r\n\r\n", large + "data: "),
        ] {
            var passage = try passage(head)
            var output: [ByteBuffer] = []
            let read = ByteBuffer(string: bytes)
            #expect(passage.pass(read, into: &output) == .going)
            let payload = try #require(output.max { $0.readableBytes < $1.readableBytes })
            #expect(address(payload) == address(read), "\(head)")
        }
    }

    private func address(_ buffer: ByteBuffer) -> UnsafeRawPointer? {
        buffer.withUnsafeReadableBytes { $0.baseAddress }
    }

    @Test(arguments: [0, 1]) func passesAnEventThatIsTooLargeToHold(clientMinorVersion: Int) throws {
        var passage = try passage(Self.sse + "\r\n", clientMinorVersion: clientMinorVersion)
        let framed = { (text: String) in clientMinorVersion == 1 ? asChunk(text) : text }
        let limit = "data: " + String(repeating: "a", count: AnswerPassage.holdLimit - 6)
        #expect(texts(&passage, [Self.event, limit]) == [framed(Self.event), ""])
        #expect(passage.errorEvent(code: "c", message: "m", type: "t") != nil)
        #expect(texts(&passage, ["b", "c"]) == [framed(limit + "b"), framed("c")])
        #expect(passage.errorEvent(code: "c", message: "m", type: "t") == nil)
        #expect(texts(&passage, ["\n\nda"]) == [framed("\n\n")])
        #expect(passage.errorEvent(code: "c", message: "m", type: "t") != nil)
        #expect(texts(&passage, ["ta: a\n\n"]) == [framed(Self.event)])
    }

    @Test func aTooLargeEventInChunksEndsAtTheNextBoundary() throws {
        var passage = try passage(Self.sse + Self.chunked)
        let large = String(repeating: "a", count: AnswerPassage.holdLimit + 1)
        #expect(texts(&passage, [asChunk(large)]) == [asChunk(large)])
        #expect(texts(&passage, [asChunk("b") + asChunk("\n\n")]) == [asChunk("b") + asChunk("\n\n")])
        let extended = "9;x\r\ndata: a\n\n\r\n"
        #expect(texts(&passage, [extended]) == [extended])
        #expect(passage.errorEvent(code: "c", message: "m", type: "t") != nil)
    }

    @Test func staysAtItsEnd() throws {
        var passage = try passage(Self.json + "Content-Length: 1\r\n\r\n")
        var output: [ByteBuffer] = []
        #expect(passage.pass(ByteBuffer(string: "a"), into: &output) == .ended(surplus: 0))
        #expect(passage.pass(ByteBuffer(string: "b"), into: &output) == .ended(surplus: 1))
        #expect(passage.inputClosed(wasReset: true, into: &output) == .ended(surplus: 1))
        #expect(output.count == 1)
    }

    @Test func staysBroken() throws {
        var passage = try passage(Self.json + Self.chunked)
        var output: [ByteBuffer] = []
        #expect(passage.pass(ByteBuffer(string: "x"), into: &output) == .broken(.badChunk))
        #expect(passage.pass(ByteBuffer(string: "0\r\n\r\n"), into: &output) == .broken(.badChunk))
        #expect(passage.inputClosed(wasReset: false, into: &output) == .broken(.badChunk))
        #expect(output.isEmpty)
    }

    private static let lines = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"

    /// Cut anywhere, a stream of lines passes in whole lines, and an error line can follow what has passed.
    @Test(arguments: [0, 1]) func linesPassWhole(clientMinorVersion: Int) throws {
        let body = "{\"n\":0}\n{\"n\":1}\n"
        for framed in [Self.chunked + asChunk(body) + "0\r\n\r\n", "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"]
        {
            let answer = Array((Self.lines + framed).utf8)
            for cut in 0..<answer.count {
                let reads = [ByteBuffer(bytes: answer[..<cut])]
                let part = PassedAnswer.pass(
                    reads: reads, clientMinorVersion: clientMinorVersion, dialect: .ollama)
                guard part.framing != nil else { continue }
                let payload = String(decoding: part.decoded().payload, as: UTF8.self)
                #expect(["", "{\"n\":0}\n", body].contains(payload), "\(payload)")
                #expect(part.end == .broken(.cutOff))
                let error = try #require(part.errorEvent.map { String(buffer: $0) })
                let line = #"{"error":"The endpoint broke off its answer."}"# + "\n"
                #expect(error == (clientMinorVersion == 1 ? asChunk(line) : line))
                let whole = PassedAnswer.pass(
                    reads: reads + [ByteBuffer(bytes: answer[cut...])], clientMinorVersion: clientMinorVersion,
                    dialect: .ollama)
                #expect(
                    whole.end == .ended(surplus: 0) && String(decoding: whole.decoded().payload, as: UTF8.self) == body)
            }
        }
    }

    /// On other routes lines are like any other body.
    @Test func linesOnOtherRoutesPassAsTheyCome() throws {
        let answer = Self.lines + Self.chunked + asChunk("{\"n\":")
        let passed = PassedAnswer.pass(reads: [ByteBuffer(string: answer)])
        #expect(passed.text == asChunk("{\"n\":") && passed.errorEvent == nil)
    }

    @Test(arguments: [
        (
            EventDialect.openAI,
            #"data: {"error":{"message":"a \"b\"\\\u000a","type":"upstream_error","param":null,"code":"upstream_broken"}}"#
        ),
        (
            .anthropic,
            "event: error\n"
                + #"data: {"type":"error","error":{"message":"a \"b\"\\\u000a","type":"upstream_error","param":null,"code":"upstream_broken"}}"#
        ),
        (
            .responses,
            "event: error\n"
                + #"data: {"type":"error","code":"upstream_broken","message":"a \"b\"\\\u000a","param":null,"#
                + #""error":{"message":"a \"b\"\\\u000a","type":"upstream_error","param":null,"code":"upstream_broken"}}"#
        ),
    ])
    func errorEventsAreInTheRoutesDialect(dialect: EventDialect, text: String) throws {
        for clientMinorVersion in [0, 1] {
            let passage = try passage(Self.sse + Self.chunked, clientMinorVersion: clientMinorVersion, dialect: dialect)
            let event = passage.errorEvent(code: "upstream_broken", message: "a \"b\"\\\n", type: "upstream_error")
            let expected = clientMinorVersion == 1 ? asChunk(text + "\n\n") : text + "\n\n"
            #expect(event.map { String(buffer: $0) } == expected)
        }
    }

    @Test(arguments: [
        ("/v1/messages", EventDialect.anthropic), ("/v1/messages/count_tokens", .anthropic), ("/v1/messages2", .openAI),
        ("/v1/responses", .responses), ("/v1/responses/resp_1", .responses), ("/v1/chat/completions", .openAI),
        ("/api/chat", .ollama),
    ])
    func dialectsHaveRoutes(path: String, dialect: EventDialect) {
        #expect(InferencePath(path)?.dialect ?? .openAI == dialect)
    }
}
