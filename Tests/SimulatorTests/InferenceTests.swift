import Conventions
import Crypto
import Foundation
import HTTPTypes
import JSON
import NIOCore
import Testing

@testable import Simulator

@Suite("Inference")
struct InferenceTests {
    private func post(
        _ route: InferenceRoute, _ body: ByteBuffer, _ client: TestClient,
        contentType: String = "application/json"
    ) async throws -> TestResponse {
        try await client.execute(
            uri: "/e/vllm\(route.rawValue)", method: .post, headers: [.contentType: contentType], body: body
        ) { $0 }
    }

    private func ask(
        _ route: InferenceRoute, _ client: TestClient, _ members: String = ""
    ) async throws -> [String: Any] {
        let body = ByteBuffer(string: #"{"messages":[{"content":"{\"model\":\\"}],\#(members)"model":"org/one"}"#)
        let response = try await post(route, body, client)
        #expect(response.status == .ok)
        return try object(response)
    }

    @Test("Each API's stream has its tokens in order, with the time of each", arguments: InferenceRoute.allCases)
    func streams(route: InferenceRoute) async throws {
        guard route.canStream else { return }
        try await withClient(sampleFleet(Behaviour(chunkIntervalMilliseconds: 5, chunkBytes: 7))) { client in
            let before = Fleet.wallClock()
            let body = #"{"model":"org/one","stream":true,"max_tokens":5,"max_output_tokens":9}"#
            let response = try await post(route, ByteBuffer(string: body), client)
            let after = Fleet.wallClock()
            #expect(response.headers[.contentType] == "text/event-stream; charset=utf-8")
            let tokens = try events(response).filter { $0["sequence"] != nil }
            #expect(tokens.map { $0["sequence"] as? Int } == [0, 1, 2, 3, 4])
            let times = tokens.compactMap { $0["sent_at"] as? Int }
            #expect(times.allSatisfy { $0 >= before && $0 <= after })
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= 5000 })
            #expect(String(buffer: response.body).contains(#""xxxxxxx""#))
        }
    }

    @Test("A chat's stream ends with its reason, its usage, and [DONE]")
    func chatStream() async throws {
        try await withClient(sampleFleet()) { client in
            for (limit, count, reason) in [(#","max_tokens":3"#, 3, "length"), ("", 16, "stop")] {
                let body = #"{"model":"org/one","stream":true,"stream_options":{"include_usage":true}\#(limit)}"#
                let response = try await post(.chat, ByteBuffer(string: body), client)
                let all = try events(response)
                #expect(all.count == count + 1)
                #expect(all.allSatisfy { $0["object"] as? String == "chat.completion.chunk" })
                let choices = all.compactMap { ($0["choices"] as? [[String: Any]])?.first }
                #expect(
                    choices.map { $0["finish_reason"] as? String } == Array(repeating: nil, count: count - 1) + [reason]
                )
                #expect((choices.first?["delta"] as? [String: String])?["content"] == "Hello")
                #expect((all.last?["usage"] as? [String: Int])?["completion_tokens"] == count)
                #expect(String(buffer: response.body).hasSuffix("\n\ndata: [DONE]\n\n"))
            }
        }
    }

    @Test("Anthropic's and OpenAI's newer streams name their events")
    func eventNames() async throws {
        let body = ByteBuffer(string: #"{"model":"org/one","stream":true,"max_tokens":1}"#)
        try await withClient(sampleFleet()) { client in
            for (route, names) in [
                (
                    InferenceRoute.messages,
                    [
                        "message_start", "content_block_start", "ping", "content_block_delta", "content_block_stop",
                        "message_delta", "message_stop",
                    ]
                ),
                (
                    .responses,
                    [
                        "response.created", "response.in_progress", "response.output_item.added",
                        "response.content_part.added", "response.output_text.delta", "response.output_text.done",
                        "response.content_part.done", "response.output_item.done", "response.incomplete",
                    ]
                ),
            ] {
                let response = try await post(route, body, client)
                let lines = String(buffer: response.body).split(separator: "\n")
                #expect(lines.filter { $0.hasPrefix("event: ") }.map { String($0.dropFirst(7)) } == names)
                #expect(try events(response).map { $0["type"] as? String } == names)
            }
        }
    }

    @Test("Each API has its shape, and is counted")
    func shapes() async throws {
        try await withClient(sampleFleet()) { client in
            #expect(try await ask(.completions, client)["object"] as? String == "text_completion")
            #expect(try await ask(.responses, client)["object"] as? String == "response")
            #expect(try await ask(.messages, client)["type"] as? String == "message")
            #expect(try await ask(.images, client)["data"] is [[String: String]])
            let embeddings = try await ask(.embeddings, client, #""input":["a","b"],"#)
            #expect((embeddings["data"] as? [[String: Any]])?.map { $0["index"] as? Int } == [0, 1])
            let ranks = try await ask(.rerank, client, #""documents":["a",{"text":"b"}],"#)
            let documents = (ranks["results"] as? [[String: Any]])?.map { $0["document"] as? [String: String] }
            #expect(documents == [["text": "a"], ["text": "b"]])
            #expect([embeddings, ranks].allSatisfy { $0["model"] as? String == "org/one" })
            let speech = try await post(.speech, ByteBuffer(string: #"{"model":"org/one"}"#), client)
            #expect(speech.headers[.contentType] == "audio/wav" && speech.body.readableBytes > 1600)
            #expect(speech.body.readableBytesView.starts(with: "RIFF".utf8))
            let seen = try #require(try await fleetReport(client).endpoints.first { $0.name == "vllm" })
            #expect(seen.completions == 7 && seen.requests[InferenceRoute.rerank.rawValue] == 1)
            #expect(seen.openStreams == 0 && seen.peakOpenStreams == 1 && seen.closedByClient == 0)
        }
    }

    @Test("Of a form the model and the file's size are told")
    func form() async throws {
        // A file that has lines like the delimiter's.
        let file = String(repeating: "\r\n--edg\r\n--edge\r", count: 100_000)
        let body = ByteBuffer(
            string: "--edge0\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\norg/one\r\n"
                + "--edge0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n"
                + "Content-Type: audio/wav\r\n\r\n\(file)\r\n--edge0--\r\n")
        try await withClient(sampleFleet()) { client in
            let type = "multipart/form-data; boundary=\"edge0\""
            let response = try await post(.transcriptions, body, client, contentType: type)
            #expect(response.status == .ok)
            let answer = try object(response)
            #expect(answer["model"] as? String == "org/one")
            #expect(answer["file_bytes"] as? Int == file.utf8.count)
            let cut = try #require(body.getSlice(at: 0, length: body.readableBytes - 8))
            #expect(try await post(.transcriptions, cut, client, contentType: type).status == .badRequest)
        }
    }

    @Test("What was asked is told, without keys")
    func lastRequest() async throws {
        let body = #"{"model":"org/one"}"#
        for (required, matches) in [("abc", true), ("other", false), (nil, nil)] {
            try await withClient(sampleFleet(Behaviour(key: required))) { client in
                try await client.execute(
                    uri: "/e/vllm/v1/embeddings", method: .post,
                    headers: [.authorization: "Bearer abc", .userAgent: "test", .init("X-Api-Key")!: "abc"],
                    body: ByteBuffer(string: body)
                ) { #expect(($0.status == .unauthorized) == (matches == false)) }
                let seen = try #require(
                    try await fleetReport(client).endpoints.first { $0.name == "vllm" }?.lastRequest)
                #expect(seen.path == "/v1/embeddings" && seen.model == "org/one")
                #expect(seen.headers["user-agent"] == "test")
                #expect(seen.headers["authorization"] == LastRequest.hidden)
                #expect(seen.headers["x-api-key"] == LastRequest.hidden)
                #expect(seen.keyMatches == matches)
                #expect(seen.bodyBytes == body.utf8.count)
                #expect(seen.bodyDigest == SHA256.hash(data: Array(body.utf8)).hexadecimal)
            }
        }
    }

    @Test("A body may have 64 MiB, and not more")
    func largeBodies() async throws {
        try await withClient(sampleFleet()) { client in
            let start = #"{"messages":[{"content":""#
            let end = #""}],"model":"org/one"}"#
            let room = InferenceRequest.bodyLimit - start.utf8.count - end.utf8.count
            for (extra, status) in [(0, HTTPResponse.Status.ok), (1, .contentTooLarge)] {
                var body = ByteBuffer(string: start)
                body.writeRepeatingByte(UInt8(ascii: "x"), count: room + extra)
                body.writeString(end)
                let response = try await post(.chat, body, client)
                #expect(response.status == status)
            }
        }
    }
}

@Suite("Wanted members of a JSON object")
struct MembersTests {
    private func members(_ text: String) -> String? {
        InferenceRequest.members(["model", "tools"], of: ByteBuffer(string: text)).map {
            String(decoding: $0.bytes, as: UTF8.self)
        }
    }

    @Test("Wanted members come out")
    func wanted() {
        let text = #" { "a\"}" : {"model":"no"}, "model" : "x\"\\" ,"b":[1,{"tools":"]"}],"tools":[{"n":"a b"},2] } "#
        #expect(members(text) == #"{"model":"x\"\\","tools":[{"n":"a b"},2]}"#)
    }

    @Test(
        "What is no whole object gives nothing",
        arguments: ["", "[", "{", #"{"model":"a"#, "{}}", "[]", "1", "{}1", #"{"model":[01]}"#])
    func malformed(text: String) { #expect(members(text) == nil) }

    @Test("A member that is too long is left out, the others stay")
    func long() {
        let text = #"{"tools":"\#(String(repeating: "x", count: 1 << 20))","model":1}"#
        #expect(members(text) == #"{"model":1}"#)
    }
}
