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
        let received = try await InferenceRequest.read(request, for: route)
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
            return writer.response(error("The body is not a request of this kind.", status: 400))
        case .failure(.tooLarge):
            return writer.response(error("The body is too large.", status: 413))
        case .failure(.invalid(let value)): return writer.response(error(value))
        }
        guard let model = asked.model, endpoint.models.contains(where: { $0.id == model }) else {
            return writer.response(
                error(
                    "The model `\(asked.model ?? "")` does not exist.", code: "model_not_found", param: "model",
                    status: 404))
        }
        let now = fleet.now() / 1000
        let frame = AnswerFrame(route, asked, model: model, body: received, now: now)
        do throws(InvalidValue) { return try generate(asked, frame, writer) } catch {
            return writer.response(self.error(error))
        }
    }

    private func generate(
        _ asked: InferenceRequest, _ frame: AnswerFrame, _ writer: AnswerWriter
    ) throws(InvalidValue) -> Response {
        if behaviour.completionFault == .huge { return writer.huge() }
        let isStream = asked.streams && route.canStream
        let generation =
            behaviour.completionFault == .empty
            ? Generation.empty
            : try Generation(
                for: asked, endpoint: endpoint.name, chunkBytes: isStream ? behaviour.chunkBytes : 0,
                fillsLimit: asked.ignoresEnd || behaviour.fillsLimit)
        return isStream
            ? writer.response(TokenStream(route, frame, generation))
            : writer.response(GeneratedAnswer(route, asked, frame, generation))
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
                error("The engine is dead.", code: "500", type: "InternalServerError", status: 500))
        case .html: return writer.response(GeneratedAnswer(.loginPage))
        case .badGateway: return writer.response(GeneratedAnswer(.proxyError(502, "Bad Gateway")))
        case .unavailable: return writer.response(GeneratedAnswer(.proxyError(503, "Service Temporarily Unavailable")))
        case .gatewayTimeout: return writer.response(GeneratedAnswer(.proxyError(504, "Gateway Time-out")))
        case .none, .empty, .closeAfterHeaders, .halfChunk, .stall, .huge, .resetMidway, .slowHeaders: return nil
        }
    }

    private func error(_ value: InvalidValue) -> GeneratedAnswer {
        error(value.message, code: "invalid_value", param: value.parameter, status: 400)
    }

    /// An error as OpenAI's clients expect it, and on Anthropic's route as those of Anthropic do.
    private func error(
        _ message: String, code: String? = nil, type: String = "invalid_request_error", param: String? = nil,
        status: Int
    ) -> GeneratedAnswer {
        GeneratedAnswer(
            .json(
                #"{\#(route == .messages ? #""type":"error","# : "")"error":{"message":\#(quoted(message)),"#
                    + #""type":\#(quoted(type)),"param":\#(param.map(quoted) ?? "null"),"#
                    + #""code":\#(code.map(quoted) ?? "null")}}"#,
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
