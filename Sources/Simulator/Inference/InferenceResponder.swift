import HTTPTypes

/// Generates as an inference server does, or fails in one of the ways of `Behaviour.CompletionFault`.
struct InferenceResponder {
    let fleet: Fleet
    let endpoint: SimulatedEndpoint
    let route: InferenceRoute
    /// As the client sent it.
    let key: String?

    private var behaviour: Behaviour { endpoint.behaviour }

    func respond(to request: Request) async throws -> Response {
        let (fleet, name) = (fleet, endpoint.name)
        fleet.note(name) { $0.streams.begin() }
        let answer = AnswerInWork { ending in
            let time = Fleet.wallClock()
            fleet.note(name) { $0.streams.end(ending, at: time) }
        }
        do {
            request.connection.begin(answer)
            return try await respond(to: request, answer)
        } catch {
            // If the answer had not ended, the body was not read to its end: its client is gone.
            answer.end(.closedByClient)
            throw error
        }
    }

    private func respond(to request: Request, _ answer: AnswerInWork) async throws -> Response {
        let received = try await InferenceRequest.read(request)
        let seen = LastRequest(route, request.headers, received, key: key, required: behaviour.key)
        fleet.note(endpoint.name) { $0.lastRequest = seen }
        let writer = AnswerWriter(answer: answer, connection: request.connection, behaviour: behaviour)
        let wait = behaviour.firstByteDelay
        if wait > .zero { try await answer.pause(for: wait) }
        if let required = behaviour.key, key != required, endpoint.kind.wantsKey(at: route.rawValue) {
            return writer.response(GeneratedAnswer(.unauthorized(endpoint.kind)))
        }
        if let response = try await fault(answer, request.connection, writer) { return response }

        let asked: InferenceRequest
        switch received.request {
        case .success(let request): asked = request
        case .failure(.malformed):
            return writer.response(.error("The body is not a request of this kind.", code: nil, status: 400))
        case .failure(.tooLarge):
            return writer.response(.error("The body is too large.", code: nil, status: 413))
        }
        guard let model = asked.model, endpoint.models.contains(where: { $0.id == model }) else {
            return writer.response(
                .error(
                    "The model `\(asked.model ?? "")` does not exist.", code: "model_not_found", param: "model",
                    status: 404))
        }
        return generate(asked, model, writer)
    }

    private func generate(_ asked: InferenceRequest, _ model: String, _ writer: AnswerWriter) -> Response {
        let isEmpty = behaviour.completionFault == .empty
        let now = fleet.now() / 1000
        if behaviour.completionFault == .huge { return writer.huge() }
        if asked.streams, route.canStream {
            return writer.response(
                TokenStream(
                    route, request: asked, model: model, endpoint: endpoint.name, chunkBytes: behaviour.chunkBytes,
                    isEmpty: isEmpty, now: now))
        }
        let completion =
            isEmpty
            ? Completion.empty
            : Completion(endpoint: endpoint.name, limit: asked.limit ?? .max, tool: asked.forcedTool)
        return writer.response(
            GeneratedAnswer(route, request: asked, model: model, completion: completion, now: now))
    }

    /// The answer of a fault that does not depend on what was asked for.
    private func fault(
        _ answer: AnswerInWork, _ connection: ClientConnection, _ writer: AnswerWriter
    ) async throws -> Response? {
        switch behaviour.completionFault {
        case .hang:
            try await answer.pause(for: .seconds(86400))
            throw AnswerInWork.Ended()
        case .reset:
            answer.end(.completed)
            try await connection.reset()
        case .error:
            return writer.response(
                .error("The engine is dead.", code: "500", type: "InternalServerError", status: 500))
        case .html: return writer.response(GeneratedAnswer(.loginPage))
        case .badGateway: return writer.response(GeneratedAnswer(.proxyError(502, "Bad Gateway")))
        case .unavailable: return writer.response(GeneratedAnswer(.proxyError(503, "Service Temporarily Unavailable")))
        case .gatewayTimeout: return writer.response(GeneratedAnswer(.proxyError(504, "Gateway Time-out")))
        case .none, .empty, .closeAfterHeaders, .halfChunk, .stall, .huge, .resetMidway, .slowHeaders: return nil
        }
    }
}

extension GeneratedAnswer {
    fileprivate static func error(
        _ message: String, code: String?, type: String = "invalid_request_error", param: String? = nil, status: Int
    ) -> GeneratedAnswer {
        GeneratedAnswer(
            .json(
                #"{"error":{"message":\#(quoted(message)),"type":\#(quoted(type)),"#
                    + #""param":\#(param.map(quoted) ?? "null"),"code":\#(code.map(quoted) ?? "null")}}"#,
                status: status))
    }
}

extension Answer {
    /// What nginx says in place of a server behind it.
    fileprivate static func proxyError(_ status: Int, _ reason: String) -> Answer {
        Answer(
            status: status, contentType: "text/html",
            body: """
                <html>
                <head><title>\(status) \(reason)</title></head>
                <body>
                <center><h1>\(status) \(reason)</h1></center>
                <hr><center>nginx</center>
                </body>
                </html>

                """)
    }
}
