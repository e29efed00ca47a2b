import FoundationEssentials
import HTTPTypes
import JSON
import NIOCore

/// Generates in Ollama's own API: whole, or line by line, which is what it does unless `stream` is false. Of the faults of
/// generation it knows one, `half_chunk`.
struct OllamaResponder {
    enum Route: String {
        case chat = "/api/chat"
        case generate = "/api/generate"
        case embed = "/api/embed"
        case embeddings = "/api/embeddings"
    }

    let fleet: Fleet
    let endpoint: SimulatedEndpoint
    let route: Route

    /// What ends an answer in its middle.
    private struct Cut: Error {}

    func respond(to request: Request) async throws -> Response {
        let bytes = try await request.body.collect(upTo: InferenceRequest.bodyLimit)
        guard let asked = try? bytes.withUnsafeReadableBytes({ try JSONReader.read($0) }),
            let model = asked["model"].string, !model.isEmpty
        else { return .of(.json(#"{"error":"missing request body"}"#, status: 400)) }
        guard endpoint.models.contains(where: { $0.id == model || $0.id == model + ":latest" }) else {
            return .of(.json(#"{"error":\#(quoted("model '\(model)' not found"))}"#, status: 404))
        }
        let answer = OllamaAnswer(
            route: route, model: model, generation: .greeting(of: endpoint.name),
            inputs: asked["input"].array?.count ?? 1, now: fleet.now() / 1000)
        guard route == .chat || route == .generate, asked["stream"] != .bool(false) else {
            return .of(.json(answer.whole))
        }
        return Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"], body: stream(answer.lines))
    }

    private func stream(_ lines: [String]) -> ResponseBody {
        let behaviour = endpoint.behaviour
        return ResponseBody { writer in
            for (number, line) in lines.enumerated() {
                if number > 0 {
                    try await Task.sleep(for: .milliseconds(behaviour.chunkIntervalMilliseconds))
                    if behaviour.completionFault == .halfChunk {
                        try await writer.write(ByteBuffer(bytes: line.utf8.prefix(line.utf8.count / 2)))
                        throw Cut()
                    }
                }
                try await writer.write(ByteBuffer(string: line + "\n"))
            }
        }
    }
}

/// What Ollama says, in its own shapes (Ollama, docs/api.md).
struct OllamaAnswer: Sendable {
    let route: OllamaResponder.Route
    let model: String
    let generation: Generation
    /// Texts to embed.
    let inputs: Int
    /// Seconds since 1970.
    let now: Int64

    private static let vector = "[0.25,-0.5,0.75]"

    var whole: String {
        switch route {
        case .chat, .generate: line(generation.text, isLast: true)
        case .embed:
            #"{"model":\#(quoted(model)),"embeddings":["#
                + Array(repeating: Self.vector, count: inputs).joined(separator: ",")
                + #"],"total_duration":1000000,"load_duration":1000,"prompt_eval_count":\#(inputs)}"#
        case .embeddings: #"{"embedding":\#(Self.vector)}"#
        }
    }

    /// A line for each word, and an empty last one that says why.
    var lines: [String] {
        generation.round.map { line($0, isLast: false) } + [line("", isLast: true)]
    }

    private func line(_ text: String, isLast: Bool) -> String {
        let said =
            route == .chat
            ? #""message":{"role":"assistant","content":\#(quoted(text))}"# : #""response":\#(quoted(text))"#
        let time = Date(timeIntervalSince1970: Double(now)).formatted(Date.ISO8601FormatStyle())
        let count = generation.tokens
        let end =
            #","done_reason":"stop","total_duration":1000000,"load_duration":1000,"prompt_eval_count":1,"#
            + #""prompt_eval_duration":1000,"eval_count":\#(count),"eval_duration":\#(1000 * count)"#
        return #"{"model":\#(quoted(model)),"created_at":"\#(time)",\#(said),"done":\#(isLast)\#(isLast ? end : "")}"#
    }
}
