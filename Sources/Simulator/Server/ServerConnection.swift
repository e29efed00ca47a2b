import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1

/// One client's connection, from its first request to its last.
struct ServerConnection: Sendable {
    private let channel: NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
    let client: ClientConnection

    /// Must be called on the channel's event loop.
    init(_ channel: any Channel) throws {
        client = ClientConnection(channel)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(client)
        // Requests that a client sends ahead of the answers wait in the asynchronous channel.
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        self.channel = try NIOAsyncChannel(wrappingChannelSynchronously: channel)
    }

    func serve(logger: Logger, _ respond: @Sendable (Request) async throws -> Response) async {
        let channel = channel.channel
        do {
            try await withTaskCancellationHandler {
                try await self.channel.executeThenClose { inbound, outbound in
                    try await serve(RequestParts(inbound), ResponseWriter(outbound, channel), respond)
                }
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch {
            // The client has gone, or a fault has closed the connection.
            logger.debug("A connection ended early", metadata: ["error": "\(error)"])
        }
    }

    private func serve(
        _ parts: RequestParts, _ writer: ResponseWriter, _ respond: (Request) async throws -> Response
    ) async throws {
        var writer = writer
        do {
            while let head = try await parts.nextHead() {
                client.beginRequest()
                let response = try await response(to: head, parts, respond)
                let mayStay = try await writer.send(response, to: head, isLast: client.isStopping)
                guard client.endRequest() else { return }
                if !mayStay { break }
            }
        } catch let error as HTTPParserError {
            let request = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
            _ = try await writer.send(Response(status: .badRequest), to: request, isLast: true)
            throw error
        }
        // Closing with unread bytes would be a reset, which may take the answer away from its reader (RFC 9112, section
        // 9.6). So this side says first that it is done, and reads until the client has closed as well.
        try await channel.channel.close(mode: .output).get()
        while try await parts.nextHead() != nil {}
    }

    private func response(
        to head: HTTPRequestHead, _ parts: RequestParts, _ respond: (Request) async throws -> Response
    ) async throws -> Response {
        guard let request = Request(head, body: RequestBody(parts: parts), connection: client) else {
            return Response(status: .badRequest)
        }
        do {
            return try await respond(request)
        } catch let failure as HTTPFailure {
            return failure.response
        }
    }
}
