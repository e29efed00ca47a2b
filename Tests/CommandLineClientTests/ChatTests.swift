import Foundation
import JSON
import Synchronization
import TestSupport
import Testing

@testable import CommandLineClient

@Suite("rollcall chat", .timeLimit(.minutes(1)))
struct ChatTests {
    private static func piece(_ delta: String, finish: String = "null") -> String {
        #"{"choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}]}"#
    }
    private static let hello = [
        piece(#"{"role":"assistant","content":""}"#), piece(#"{"content":"Hel"}"#), piece(#"{"content":"lo"}"#),
        piece("{}", finish: #""stop""#),
    ]

    @Test("The answer alone is the output, and what was asked for is sent")
    func answer() async throws {
        let ran = try await rollcall(
            "chat", "org/m:7b", "Say", "hello.", "--system", "Be short.", "--max-tokens", "9", "--temperature", "0.5"
        ) { _ in .events(Self.hello + ["[DONE]"], headers: ["X-Rollcall-Endpoint": "gpu-1"]) }
        #expect(ran.output == "Hello\n" && ran.notes.isEmpty && ran.status == .success)
        let request = try #require(ran.requests.first)
        #expect(request.method == "POST" && request.path == "/v1/chat/completions")
        #expect(
            request.headers["accept"] == "text/event-stream" && request.headers["content-type"] == "application/json")
        #expect(request.headers["idempotency-key"] == nil)
        #expect(
            request.fields == [
                "model": .string("org/m:7b"), "stream": .bool(true), "max_tokens": .integer(9),
                "temperature": .number(0.5),
                "messages": .array([
                    .object(["role": .string("system"), "content": .string("Be short.")]),
                    .object(["role": .string("user"), "content": .string("Say hello.")]),
                ]),
            ])
        #expect(request.headers["authorization"] == nil)
    }

    @Test("Statistics are notes, with the server's own count of tokens")
    func statistics() async throws {
        let usage = #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":42}}"#
        let ran = try await rollcall("chat", "m", "x", "--stats") { _ in
            .events(Self.hello + [usage, "[DONE]"], headers: ["X-Rollcall-Endpoint": "gpu-1"])
        }
        #expect(ran.output == "Hello\n")
        #expect(ran.notes.prefix(3) == ["endpoint     gpu-1", "first token  0 ms", "tokens       42"])
        #expect(ran.requests.first?.fields["stream_options"] == .object(["include_usage": .bool(true)]))
        var summary = ChatAnswer.Summary()
        summary.firstPiece = .milliseconds(85)
        summary.lastPiece = .milliseconds(2085)
        summary.pieces = 21
        #expect(
            summary.statistics(total: .milliseconds(2100)) == """
                endpoint     -
                first token  85 ms
                tokens       about 21
                speed        10 tokens/s
                total        2.1 s

                """)
    }

    @Test("Reasoning is shown apart from the answer", arguments: ["reasoning_content", "reasoning"])
    func reasoning(field: String) async throws {
        let ran = try await rollcall("chat", "m", "x") { _ in
            .events(
                [Self.piece(#"{"\#(field)":"Let me "}"#), Self.piece(#"{"\#(field)":"think."}"#)] + Self.hello
                    + ["[DONE]"])
        }
        #expect(ran.output == "Hello\n")
        #expect(ran.notes == ["reasoning: Let me think."])
        // All that it may say went into its reasoning.
        let cut = try await rollcall("chat", "m", "x") { _ in
            .events([Self.piece(#"{"\#(field)":"Let me"}"#), Self.piece("{}", finish: #""length""#), "[DONE]"])
        }
        #expect(cut.output.isEmpty)
        #expect(
            cut.notes == [
                "reasoning: Let me",
                "The answer ends here because of --max-tokens, or because the model's context is full.",
            ])
    }

    @Test("An error in the stream ends it with a whole line, the error, and 1")
    func errors() async throws {
        let error = #"{"error":{"message":"The endpoint is gone.","type":"upstream_error","code":"upstream_reset"}}"#
        let ran = try await rollcall("chat", "m", "x") { _ in .events(Array(Self.hello.prefix(2)) + [error]) }
        #expect(ran.output == "Hel\n" && ran.status == .failure)
        #expect(ran.failure?.description == "The endpoint is gone. (upstream_reset)")
        let text = try await rollcall("chat", "m", "x") { _ in .events([#"{"error":"out of memory"}"#]) }
        #expect(text.status == .failure && text.failure?.message == "out of memory" && text.output.isEmpty)
        let early = try await rollcall("chat", "m", "x") { _ in .events(Array(Self.hello.prefix(2))) }
        #expect(early.output == "Hel\n" && early.status == .failure)
        #expect(early.failure?.message == "the answer broke off: the stream ended before the answer did")
        let cut = try await rollcall("chat", "m", "x") { _ in
            var reply = StubGateway.Reply.events(Array(Self.hello.prefix(2)))
            reply.isCut = true
            return reply
        }
        #expect(cut.output == "Hel\n" && cut.status == .failure && cut.failure?.code == "truncated")
        let foreign = try await rollcall("chat", "m", "x") { _ in
            .json(#"{"detail":"no memory left"}"#, status: 500, headers: ["X-Rollcall-Endpoint": "gpu-1"])
        }
        #expect(foreign.failure?.message == "the endpoint gpu-1 answered 500: no memory left")
        let unknown = try await rollcall("chat", "m", "x") { _ in .error(404, "model_not_found") }
        #expect(unknown.status == .notFound && unknown.failure?.code == "model_not_found")
        let busy = try await rollcall("chat", "m", "x") { _ in .error(429, "queue_full") }
        #expect(busy.status == .tryAgain && busy.requests.count == 1)
    }

    @Test("A server that does not stream, events as they came, and an answer without any text")
    func others() async throws {
        let whole = try await rollcall("chat", "m", "x") { _ in
            .json(#"{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}"#)
        }
        #expect(whole.output == "Hello\n" && whole.status == .success)
        let json = try await rollcall("chat", "m", "x", "--json") { _ in .events(Self.hello + ["[DONE]"]) }
        #expect(json.output == Self.hello.joined(separator: "\n") + "\n")
        let page = try await rollcall("chat", "m", "x") { _ in
            .init(headers: ["Content-Type": "text/html"], body: "<html>")
        }
        #expect(page.status == .failure && page.failure?.message.contains("not JSON") == true)
        let empty = try await rollcall("chat", "m", "x") { _ in
            .events([Self.piece("{}", finish: #""stop""#), "[DONE]"])
        }
        #expect(empty.output.isEmpty && empty.notes == ["The answer is empty."])
    }

    @Test("At a terminal an answer cannot steer it; another program gets what came")
    func terminal() async throws {
        let event = Self.piece(#"{"content":"a\u001b[2J\r\n\tb 👨‍👩‍👧"}"#, finish: #""stop""#)
        let shown = try await rollcall(["chat", "m", "x"], isTerminal: true) { _ in .events([event]) }
        #expect(shown.output == "a?[2J\n\tb 👨‍👩‍👧\n")
        #expect(try await rollcall("chat", "m", "x") { _ in .events([event]) }.output == "a\u{1B}[2J\r\n\tb 👨‍👩‍👧\n")
    }

    @Test("Events come apart anywhere, with any line end")
    func reader() {
        let text = "event: x\r\ndata: a\r\ndata: ü\r\n\r\n: comment\n\ndata:b\n\rdata\r\ndata: \n\nid: 7\n\n"
        let bytes = Array(text.utf8)
        for size in 1...bytes.count {
            var reader = EventStreamReader()
            var events: [String] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                events += reader.events(in: Array(bytes[start..<min(start + size, bytes.count)]))
                    .map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(events == ["a\nü", "b", "\n"], "\(size)")
        }
    }

    @Test("The prompt is standard input if none is given")
    func standardInput() async throws {
        let gateway = StubGateway { _ in .events(Self.hello + ["[DONE]"]) }
        let ended = try await gateway.serve { url in
            try await Program(["chat", "m", "--url", url], input: "Say\nhello.\n").end()
        }
        #expect(ended.code == 0 && ended.output == "Hello\n" && ended.errors.isEmpty)
        #expect(gateway.requests.first?.body.contains(#""content":"Say\nhello.\n""#) == true)
        let none = try await Program(["chat", "m"], input: " \n").end()
        #expect(none.code == 64 && none.errors.hasPrefix("error: there is no prompt"))
    }

    @Test("Ctrl-C in the middle of an answer finishes the line and ends with 130")
    func interruption() async throws {
        let server = RawServer { connection in
            guard connection.readRequest() != nil else { return }
            let event = "data: \(Self.hello[1])\n\n"
            connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + event)
            _ = connection.readHead()  // until the program is gone
        }
        let program = try Program(["chat", "m", "x", "--url", server.url])
        #expect(try program.read("Hel") == "Hel")
        program.interrupt()
        let ended = try await program.end()
        #expect(ended.code == 130 && ended.output == "\n" && ended.errors.isEmpty)
    }

    @Test("Ctrl-C and a broken answer end an answer of a conversation, and not the conversation")
    func endedAnswers() async throws {
        let bodies = Mutex<[String]>([])
        let server = RawServer { connection in
            while let request = connection.readRequest() {
                let count = bodies.withLock { bodies in
                    bodies.append(request.text)
                    return bodies.count
                }
                let end =
                    count == 3
                    ? "data: \(Self.piece(#"{"content":"lo"}"#, finish: #""stop""#))\n\ndata: [DONE]\n\n" : ""
                connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                        + "data: \(Self.hello[1])\n\n" + end)
                // The first answer goes on until the program ends it.
                if count == 1 { _ = connection.readHead() }
                return
            }
        }
        let terminal = try Terminal()
        let program = try Program(["chat", "m", "--url", server.url], terminal: terminal)
        _ = await terminal.read(until: "> ")
        try terminal.type("one\n")
        #expect(await terminal.read(until: "Hel") == "one\nHel")
        program.interrupt()
        #expect(await terminal.read(until: "> ") == "\n> ")
        try terminal.type("two\n")
        let broken = await terminal.read(until: "> ")
        #expect(broken.contains("error: the answer broke off") && broken.contains("goes on"), "\(broken)")
        try terminal.type("three\n")
        #expect(await terminal.read(until: "> ") == "three\nHello\n> ")
        program.interrupt()
        _ = await terminal.read()
        #expect(try await program.end().code == 130)
        let last = try #require(bodies.withLock(\.last).flatMap { JSONValue(Array($0.utf8)) })["messages"].elements
        #expect(last.map { $0["content"].string } == ["one", "Hel", "three"])
    }

    @Test("A conversation at a terminal: all of it is sent again, and Ctrl-D ends it")
    func conversation() async throws {
        let gateway = StubGateway { asked in
            asked.body.contains("fail") ? .error(503, "overloaded") : .events(Self.hello + ["[DONE]"])
        }
        let code = try await gateway.serve { url in
            let terminal = try Terminal()
            let program = try Program(["chat", "m", "--url", url], terminal: terminal)
            #expect(
                await terminal.read(until: "> ")
                    == "Ask m, a line at a time. Ctrl-C ends an answer, Ctrl-D the conversation.\n> ")
            try terminal.type("fail first\n")
            #expect(await terminal.read(until: "goes on.\n> ").contains("error: why overloaded (overloaded)\n"))
            try terminal.type("one\n")
            #expect(await terminal.read(until: "> ") == "one\nHello\n> ")
            try terminal.type("fail\n")
            #expect(await terminal.read(until: "goes on.\n> ").contains("error: why overloaded (overloaded)\n"))
            try terminal.type("two\n")
            #expect(await terminal.read(until: "> ") == "two\nHello\n> ")
            try terminal.type("\u{4}")
            #expect(await terminal.read() == "\n")
            return try await program.end().code
        }
        #expect(code == 0)
        let last = try #require(gateway.requests.last?.fields["messages"]).elements
        #expect(last.map { $0["content"].string } == ["one", "Hello", "two"])
        #expect(last.map { $0["role"].string } == ["user", "assistant", "user"])
    }
}
