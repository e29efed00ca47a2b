import Testing

@testable import Curl

/// One after the other: the tests measure times, and some of them keep every core busy.
@Suite(.serialized, .timeLimit(.minutes(1))) enum CurlTests {}

/// Runs a test with a client of its own, shut down at the end.
func withClient(
    _ configuration: HTTPClient.Configuration = .init(), _ body: (HTTPClient) async throws -> Void
) async throws {
    let client = HTTPClient(configuration: configuration)
    do {
        try await body(client)
    } catch {
        await client.shutdown()
        throw error
    }
    await client.shutdown()
}

extension HTTPClient {
    /// How a request fails; nil when there is an answer.
    func failure(executing request: HTTPRequest) async -> HTTPError? {
        do throws(HTTPError) {
            _ = try await execute(request)
            return nil
        } catch {
            return error
        }
    }

    /// How a request fails before its head; nil when there is one.
    func failure(streaming request: HTTPRequest) async -> HTTPError? {
        do throws(HTTPError) {
            _ = try await stream(request)
            return nil
        } catch {
            return error
        }
    }
}

extension HTTPRequest {
    init(_ url: String, _ change: (inout HTTPRequest) -> Void) {
        self.init(url: url)
        change(&self)
    }
}

extension HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
}

extension HTTPResponseStream {
    func collect() async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await piece in self { all += piece }
        return all
    }
}

/// Bytes that a pattern makes recognizable.
func pattern(_ count: Int) -> [UInt8] {
    let period = (0..<251).map { UInt8($0) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + period.count)
    while bytes.count < count { bytes += period }
    bytes.removeLast(bytes.count - count)
    return bytes
}
