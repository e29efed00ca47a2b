import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

@Suite("Tools and formats")
struct ToolTests {
    private static let parameters = #"{"type":"object","properties":{"town":{"type":"string"}},"required":["town"]}"#
    private static let arguments = #"{"town":"simulated town"}"#

    /// Two tools, as the route's clients describe them.
    private static func tools(_ route: InferenceRoute) -> String {
        let tools = ["weather", "news"].map { name in
            switch route {
            case .messages: #"{"name":"\#(name)","input_schema":\#(parameters)}"#
            case .responses: #"{"type":"function","name":"\#(name)","parameters":\#(parameters)}"#
            default: #"{"type":"function","function":{"name":"\#(name)","parameters":\#(parameters)}}"#
            }
        }
        return #""tools":[\#(tools.joined(separator: ","))],"#
    }

    private static func conversation(_ route: InferenceRoute, _ messages: String) -> String {
        route == .responses ? #""input":[\#(messages)],"# : #""messages":[\#(messages)],"#
    }

    private func post(_ route: InferenceRoute, _ members: String, _ client: TestClient) async throws -> TestResponse {
        let body = ByteBuffer(string: #"{\#(members)"model":"org/one"}"#)
        return try await client.execute(uri: "/e/vllm\(route.rawValue)", method: .post, body: body) { $0 }
    }

    /// The name and the arguments of the call in an answer, and why it ended; the text in place of both if there is none.
    private func outcome(_ route: InferenceRoute, _ answer: [String: Any]) throws -> [String?] {
        switch route {
        case .messages:
            let block = try #require((answer["content"] as? [[String: Any]])?.first)
            let input = try (block["input"] as? [String: Any]).map {
                String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self)
            }
            return [block["name"] as? String ?? block["text"] as? String, input, answer["stop_reason"] as? String]
        case .responses:
            let item = try #require((answer["output"] as? [[String: Any]])?.first)
            let text = (item["content"] as? [[String: Any]])?.first?["text"] as? String
            return [item["name"] as? String ?? text, item["arguments"] as? String, answer["status"] as? String]
        default:
            let choice = try #require((answer["choices"] as? [[String: Any]])?.first)
            let message = try #require(choice["message"] as? [String: Any])
            let call = (message["tool_calls"] as? [[String: Any]])?.first?["function"] as? [String: String]
            return [
                call?["name"] ?? message["content"] as? String, call?["arguments"], choice["finish_reason"] as? String,
            ]
        }
    }

    /// One route with the word that its answers end with: a call, and a text.
    private static let routes: [(InferenceRoute, String, String)] = [
        (.chat, "tool_calls", "stop"), (.responses, "completed", "completed"), (.messages, "tool_use", "end_turn"),
    ]
    private static let greeting =
        "Hello from vllm, a simulated server that gives the same answer to each of its clients."

    @Test("A tool is called as the choice is", arguments: routes)
    func choices(route: InferenceRoute, called: String, answered: String) async throws {
        let isAnthropic = route == .messages
        let named =
            switch route {
            case .messages: #"{"type":"tool","name":"news"}"#
            case .responses: #"{"type":"function","name":"news"}"#
            default: #"{"type":"function","function":{"name":"news"}}"#
            }
        try await withClient(sampleFleet()) { client in
            for (choice, name) in [
                (named, "news"), (isAnthropic ? #"{"type":"any"}"# : #""required""#, "weather"),
                (isAnthropic ? #"{"type":"auto"}"# : #""auto""#, "weather"), ("null", "weather"),
                (isAnthropic ? #"{"type":"none"}"# : #""none""#, nil),
            ] {
                let members = Self.tools(route) + #""tool_choice":\#(choice),"#
                let answer = try object(try await post(route, members, client))
                let expected = name.map { [$0, Self.arguments, called] } ?? [Self.greeting, nil, answered]
                #expect(try outcome(route, answer) == expected, "\(choice)")
            }
            for choice in [named.replacing("news", with: "none"), #""sometimes""#, #"{"type":"x"}"#, "1"] {
                let refused = try await post(route, Self.tools(route) + #""tool_choice":\#(choice),"#, client)
                #expect(refused.status == .badRequest, "\(choice)")
                let error = try #require(try object(refused)["error"] as? [String: Any])
                #expect(error["param"] as? String == "tool_choice")
                #expect(error["type"] as? String == "invalid_request_error")
                #expect((try object(refused)["type"] as? String == "error") == isAnthropic)
            }
            let without = try await post(route, #""tool_choice":\#(named),"#, client)
            #expect(without.status == .badRequest)
        }
    }

    @Test("An agent's loop ends, and the next question is asked anew", arguments: routes)
    func loop(route: InferenceRoute, called: String, answered: String) async throws {
        let question = #"{"role":"user","content":"x"}"#
        let (call, result) =
            switch route {
            case .messages:
                (
                    #"{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"weather","input":{}}]}"#,
                    #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"x"}]}"#
                )
            case .responses:
                (
                    #"{"type":"function_call","call_id":"1","name":"weather","arguments":"{}"}"#,
                    #"{"type":"function_call_output","call_id":"1","output":"x"}"#
                )
            default:
                (
                    #"{"role":"assistant","content":null,"tool_calls":[{"id":"1","function":{"name":"weather"}}]}"#,
                    #"{"role":"tool","tool_call_id":"1","content":"x"}"#
                )
            }
        try await withClient(sampleFleet()) { client in
            for (messages, choice, name) in [
                ([question, call, result], "auto", nil),
                ([question, call, result, question], "auto", "weather"),
                ([question, call, result], "required", "news"),
                ([question, call, call.replacing("weather", with: "news"), result], "required", "news"),
                // So long that nobody looks into it: whoever may answer does.
                ([question.replacing("x", with: String(repeating: "x", count: 1 << 20))], "auto", nil),
            ] {
                let tool = #""tool_choice":"\#(choice)","#
                let members = Self.conversation(route, messages.joined(separator: ",")) + Self.tools(route) + tool
                let answer = try object(try await post(route, members, client))
                #expect(try outcome(route, answer)[0] == name ?? Self.greeting)
            }
        }
    }

    @Test("Calls of different requests have different names, of the same request the same")
    func ids() async throws {
        try await withClient(sampleFleet()) { client in
            func id(_ question: String) async throws -> String? {
                let message = #"{"role":"user","content":"\#(question)"}"#
                let members = Self.conversation(.chat, message) + Self.tools(.chat)
                let choice = (try object(try await post(.chat, members, client))["choices"] as? [[String: Any]])?.first
                let calls = (choice?["message"] as? [String: Any])?["tool_calls"] as? [[String: Any]]
                return calls?.first?["id"] as? String
            }
            let first = try #require(try await id("a"))
            #expect(try await id("a") == first)
            #expect(try await id("b") != first)
        }
    }

    @Test(
        "Tools that are no functions are left alone",
        arguments: [
            (InferenceRoute.chat, #"{"type":"custom","custom":{"name":"x"}}"#), (.responses, #"{"type":"web_search"}"#),
            (.responses, #"{"type":"custom","name":"x"}"#), (.messages, #"{"type":"bash_20250124","name":"bash"}"#),
        ])
    func others(route: InferenceRoute, tool: String) async throws {
        try await withClient(sampleFleet()) { client in
            let answer = try object(try await post(route, #""tools":[\#(tool)],"#, client))
            #expect(try outcome(route, answer)[0] == Self.greeting)
        }
    }

    @Test("A streamed call comes in parts that are the call", arguments: routes)
    func streams(route: InferenceRoute, called: String, answered: String) async throws {
        try await withClient(sampleFleet()) { client in
            let whole = try object(try await post(route, Self.tools(route), client))
            let members = Self.tools(route) + #""stream":true,"stream_options":{"include_usage":true},"#
            let events = try events(try await post(route, members, client))
            let tokens = events.filter { $0["sequence"] != nil }
            var (name, arguments, usage): (String?, String, [String: Any]?) = (nil, "", nil)
            switch route {
            case .messages:
                name = events.compactMap { ($0["content_block"] as? [String: Any])?["name"] as? String }.first
                arguments = events.compactMap { ($0["delta"] as? [String: Any])?["partial_json"] as? String }.joined()
                usage = events.last { $0["usage"] != nil }?["usage"] as? [String: Any]
                let reason = events.compactMap { ($0["delta"] as? [String: Any])?["stop_reason"] as? String }
                #expect(reason == [called])
            case .responses:
                name = events.compactMap { ($0["item"] as? [String: Any])?["name"] as? String }.first
                arguments = events.compactMap { $0["delta"] as? String }.joined()
                let response = try #require(events.last?["response"] as? [String: Any])
                usage = response["usage"] as? [String: Any]
                #expect(try outcome(route, response) == [name, arguments, "completed"])
                #expect(events.map { $0["sequence_number"] as? Int } == Array(0..<events.count))
            default:
                let choices = events.compactMap { ($0["choices"] as? [[String: Any]])?.first }
                let calls = choices.compactMap {
                    (($0["delta"] as? [String: Any])?["tool_calls"] as? [[String: Any]])?.first
                }
                #expect(calls.map { $0["index"] as? Int } == Array(repeating: 0, count: calls.count))
                #expect(calls.compactMap { $0["id"] as? String }.count == 1)
                let functions = calls.compactMap { $0["function"] as? [String: String] }
                name = functions.first?["name"]
                #expect(functions.first?["arguments"] == "")
                arguments = functions.compactMap { $0["arguments"] }.joined()
                usage = events.last?["usage"] as? [String: Any]
                #expect(choices.last?["finish_reason"] as? String == called)
            }
            #expect(name == "weather" && arguments == Self.arguments)
            let count = usage?["completion_tokens"] ?? usage?["output_tokens"]
            #expect(count as? Int == tokens.count)
            let wholeUsage = whole["usage"] as? [String: Any]
            #expect((wholeUsage?["completion_tokens"] ?? wholeUsage?["output_tokens"]) as? Int == tokens.count)
        }
    }

    @Test("An answer is JSON if it must be")
    func formats() async throws {
        let schema = #"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#
        let anything = #"{"answer":"Hello from vllm"}"#
        try await withClient(sampleFleet()) { client in
            for (route, members, text) in [
                (InferenceRoute.chat, #""response_format":{"type":"json_object"}"#, anything),
                (.chat, #""response_format":{"type":"text"}"#, Self.greeting),
                (
                    .chat, #""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":\#(schema)}}"#,
                    #"{"n":1}"#
                ),
                (.responses, #""text":{"format":{"type":"json_schema","name":"x","schema":\#(schema)}}"#, #"{"n":1}"#),
                (.responses, #""text":{"format":{"type":"json_object"}}"#, anything),
                (.messages, #""output_format":{"type":"json_schema","schema":\#(schema)}"#, #"{"n":1}"#),
                (.messages, #""output_config":{"format":{"type":"json_schema","schema":\#(schema)}}"#, #"{"n":1}"#),
            ] {
                let answer = try object(try await post(route, members + ",", client))
                #expect(try outcome(route, answer)[0] == text, "\(members)")
            }
            for (route, members, parameter) in [
                (InferenceRoute.chat, #""response_format":{"type":"json_schema"}"#, "response_format"),
                (.chat, #""response_format":"json""#, "response_format"),
                (
                    .chat, #""response_format":{"type":"json_schema","json_schema":{"schema":{"not":{}}}}"#,
                    "response_format"
                ),
                (.responses, #""text":{"format":{"type":"yaml"}}"#, "text.format"),
                (
                    .chat, Self.tools(.chat).replacing(#""string""#, with: #""text""#) + #""tool_choice":"required""#,
                    "tools"
                ),
            ] {
                let refused = try await post(route, members + ",", client)
                #expect(refused.status == .badRequest)
                let error = try object(refused)["error"] as? [String: Any]
                #expect(error?["param"] as? String == parameter, "\(members)")
            }
        }
    }
}
