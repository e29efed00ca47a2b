import Foundation
import TestSupport

extension RawServer {
    /// Answers every request alike and keeps the connection. It works on each for so many microseconds.
    static func answeringRequests(
        _ body: String = #"{"ok":true}"#, status: String = "200 OK", headers: String = "",
        after microseconds: UInt32 = 0, requests: Record<RawRequest>? = nil
    ) -> RawServer {
        RawServer { connection in
            while let request = connection.readRequest() {
                requests?.add(request)
                if microseconds > 0 { usleep(microseconds) }
                connection.write(
                    "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(headers)"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
        }
    }
}

/// A port that refuses connections.
func refusingPort() -> Int {
    let (listener, port) = listenOnLoopback(host: "127.0.0.1", port: 0, backlog: 1)
    Foundation.close(listener)
    return port
}

/// Runs blocking calls on a thread of their own: the pool of tasks has few.
func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}
