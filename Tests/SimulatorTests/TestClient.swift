import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import TestSupport

/// What a simulator has answered.
struct TestResponse: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body = ByteBuffer()
}

/// A client that makes a connection for each request.
struct TestClient: Sendable {
    let port: Int

    /// The connection ended before the end of the answer.
    struct Cut: Error {}

    func execute<Value>(
        uri: String, method: HTTPRequest.Method, headers: HTTPFields = [:], body: ByteBuffer? = nil,
        _ check: (TestResponse) async throws -> Value
    ) async throws -> Value {
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method.rawValue), uri: uri)
        head.headers.add(name: "Host", value: "127.0.0.1:\(port)")
        for field in headers { head.headers.add(name: field.name.rawName, value: field.value) }
        if let body { head.headers.add(name: "Content-Length", value: "\(body.readableBytes)") }
        let request: [HTTPClientRequestPart] = [.head(head), .body(.byteBuffer(body ?? ByteBuffer())), .end(nil)]
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        let response = try await connection.executeThenClose { inbound, outbound in
            try await outbound.write(contentsOf: request)
            return try await Self.read(inbound)
        }
        return try await check(response)
    }

    private static func read(_ parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>) async throws -> TestResponse
    {
        var response: TestResponse?
        for try await part in parts {
            switch part {
            case .head(let head):
                var fields = HTTPFields()
                for field in head.headers {
                    guard let name = HTTPField.Name(field.name) else { throw Cut() }
                    fields.append(HTTPField(name: name, value: field.value))
                }
                response = TestResponse(status: .init(code: Int(head.status.code)), headers: fields)
            case .body(var part): response?.body.writeBuffer(&part)
            case .end:
                if let response { return response }
            }
        }
        throw Cut()
    }
}

/// Does work with a socket on a thread of its own, because it blocks. Cancellation ends the connection.
func blocking<Value: Sendable>(_ socket: RawSocket, _ work: @escaping @Sendable () throws -> Value) async throws
    -> Value
{
    try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            spawnThread { continuation.resume(with: Result(catching: work)) }
        }
    } onCancel: {
        socket.interrupt()
    }
}
