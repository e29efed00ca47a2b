/// A whole answer of a server that generates: small, and of the shape that clients of the route expect.
struct GeneratedAnswer: Sendable {
    var status = 200
    var contentType = "application/json"
    var body: [UInt8]

    init(_ answer: Answer) {
        status = answer.status
        contentType = answer.contentType
        body = Array(answer.body.utf8)
    }

    private init(contentType: String, body: [UInt8]) {
        self.contentType = contentType
        self.body = body
    }

    init(_ route: InferenceRoute, _ request: InferenceRequest, _ frame: AnswerFrame, _ generation: Generation) {
        let json: String
        switch route {
        case .chat: json = generation.chat(frame)
        case .completions: json = generation.completion(frame)
        case .responses: json = generation.response(frame)
        case .messages: json = generation.message(frame)
        case .embeddings: json = Self.embeddings(request, frame)
        case .rerank: json = Self.ranks(request, frame)
        case .transcriptions, .translations:
            json =
                #"{"text":\#(quoted(generation.text)),"model":\#(frame.model),"file_bytes":\#(request.fileBytes ?? 0)}"#
        case .images, .imageEdits:
            let picture = #"{"b64_json":"\#(Self.picture)"}"#
            let pictures = Array(repeating: picture, count: request.choices).joined(separator: ",")
            json = #"{"created":\#(frame.now),"model":\#(frame.model),"data":[\#(pictures)]}"#
        case .speech:
            self = GeneratedAnswer(contentType: "audio/wav", body: Self.silence(named: request.model ?? ""))
            return
        }
        self.init(.json(json))
    }

    private static func embeddings(_ request: InferenceRequest, _ frame: AnswerFrame) -> String {
        let entries = (0..<request.inputs).map {
            #"{"object":"embedding","index":\#($0),"embedding":[0.25,-0.5,0.75]}"#
        }
        return #"{"object":"list","data":[\#(entries.joined(separator: ","))],"model":\#(frame.model),"#
            + #""usage":{"prompt_tokens":\#(request.inputs),"total_tokens":\#(request.inputs)}}"#
    }

    /// The first document fits best.
    private static func ranks(_ request: InferenceRequest, _ frame: AnswerFrame) -> String {
        let entries = request.documents.enumerated().map { index, text in
            #"{"index":\#(index),"document":{"text":\#(quoted(text))},"relevance_score":\#(1 / Double(index + 1))}"#
        }
        return #"{"id":"rerank-\#(frame.id)","model":\#(frame.model),"results":[\#(entries.joined(separator: ","))],"#
            + #""usage":{"total_tokens":\#(request.documents.count)}}"#
    }

    /// A PNG of one transparent pixel.
    private static let picture =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

    /// 100 ms of silence as a WAV file (16 bits, one channel, 8 kHz), whose title is the model.
    private static func silence(named model: String) -> [UInt8] {
        func little(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(value >> (8 * $0) & 0xff) } }
        func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
            Array(name.utf8) + little(content.count, 4) + content + (content.count % 2 == 1 ? [0] : [])
        }
        let format = little(1, 2) + little(1, 2) + little(8000, 4) + little(16000, 4) + little(2, 2) + little(16, 2)
        let title = chunk("LIST", Array("INFO".utf8) + chunk("INAM", Array(model.utf8)))
        let sound = chunk("data", [UInt8](repeating: 0, count: 1600))
        return chunk("RIFF", Array("WAVE".utf8) + chunk("fmt ", format) + title + sound)
    }
}
