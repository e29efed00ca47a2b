import HTTPTypes
import NIOCore
import NIOHTTP1

/// A request whose body is in memory. The body is empty until the server has read it.
struct Request: Sendable {
    let method: HTTPRequest.Method
    /// As sent, without the query and, in absolute form, without scheme and host.
    let path: String
    let query: String?
    /// The host and port of a target in absolute form (RFC 9112, section 3.2.2); nil for every other request.
    let targetAuthority: String?
    let headers: RequestHeaders
    var body: ByteBuffer
    /// Whether the client's address is a loopback address.
    let isFromLoopback: Bool

    /// - Parameter target: the request's target as it stands in the request line
    init(
        method: HTTPRequest.Method, target: String, headers: RequestHeaders, body: ByteBuffer = ByteBuffer(),
        isFromLoopback: Bool
    ) {
        self.method = method
        self.headers = headers
        self.body = body
        self.isFromLoopback = isFromLoopback
        let (authority, rest) = Self.authority(of: target)
        targetAuthority = authority
        // Most targets have no query, and to search the bytes is much cheaper than to walk over the text.
        let hasQuery = rest.utf8.withContiguousStorageIfAvailable { $0.contains(UInt8(ascii: "?")) } ?? true
        if hasQuery, let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
            path = String(rest[..<mark])
            query = String(rest[rest.utf8.index(after: mark)...])
        } else {
            path = String(rest)
            query = nil
        }
    }

    init(_ head: HTTPRequestHead, _ headers: RequestHeaders, isFromLoopback: Bool) {
        self.init(
            method: HTTPRequest.Method(head.method), target: head.uri, headers: headers,
            isFromLoopback: isFromLoopback)
    }

    /// Splits `http://host/path` into the host and what follows it.
    private static func authority(of target: String) -> (String?, Substring) {
        guard target.utf8.first != UInt8(ascii: "/"),
            let scheme = ["http://", "https://"].first(where: { target.lowercased().hasPrefix($0) })
        else { return (nil, target[...]) }
        let rest = target.dropFirst(scheme.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let path = rest[end...]
        return (String(rest[..<end]), path.first == "/" ? path : "/" + path)
    }
}

extension HTTPRequest.Method {
    /// NIO's parser lets only tokens pass. Anything else would become TRACE, which no route has: 405.
    init(_ method: HTTPMethod) {
        switch method {
        case .GET: self = .get
        case .POST: self = .post
        case .HEAD: self = .head
        case .DELETE: self = .delete
        case .PATCH: self = .patch
        case .OPTIONS: self = .options
        default: self = HTTPRequest.Method(method.rawValue) ?? .trace
        }
    }
}
