import Catalog
import HTTPTypes
import Hummingbird

/// Which headers go on, in either direction.
enum ForwardedHeaders {
    /// Meant for one connection only (RFC 9110, section 7.6.1), or made anew for each.
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "http2-settings",
    ]
    /// The client's own, for this gateway: none of an endpoint's business.
    private static let clientOnly: Set<String> = [
        "authorization", "x-api-key", "api-key", "cookie", "host", "content-length", "expect", "x-request-id",
        TraceContext.parentHeader, TraceContext.stateHeader,
    ]
    /// Said by this gateway itself.
    private static let gatewayOnly: Set<String> = ["x-request-id", "x-models-etag"]
    private static let ownPrefix = "x-rollcall-"

    /// A client's headers as an endpoint gets them. `key` is the endpoint's own.
    static func request(_ headers: HTTPFields, requestID: String, key: String?) -> [(name: String, value: String)] {
        let named = connectionOptions(headers[values: .connection])
        var forwarded: [(name: String, value: String)] = headers.filter { field in
            let name = field.name.canonicalName
            return !hopByHop.contains(name) && !clientOnly.contains(name) && !named.contains(name)
                && !name.hasPrefix(ownPrefix)
        }.map { (name: $0.name.rawName, value: $0.value) }
        if let trace = TraceContext(headers) { forwarded += trace.headers }
        forwarded.append(("X-Request-Id", requestID))
        if let key { forwarded.append(("Authorization", "Bearer \(key)")) }
        return forwarded
    }

    /// An endpoint's headers as the client gets them.
    static func response(_ headers: [(name: String, value: String)]) -> HTTPFields {
        var fields = HTTPFields()
        fields.reserveCapacity(headers.count + 4)
        var isChunked = false
        var named: Set<String> = []
        for header in headers {
            switch header.name.lowercased() {
            case "transfer-encoding": isChunked = true
            case "connection": named.formUnion(connectionOptions([header.value]))
            default: break
            }
        }
        for header in headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            let text = name.canonicalName
            if hopByHop.contains(text) || gatewayOnly.contains(text) || named.contains(text)
                || text.hasPrefix(ownPrefix)
            {
                continue
            }
            if name == .contentLength, isChunked || fields[.contentLength] != nil { continue }
            fields.append(HTTPField(name: name, value: header.value))
        }
        return fields
    }

    private static func connectionOptions(_ values: [String]) -> Set<String> {
        Set(
            values.flatMap { $0.split(separator: ",") }
                .map { $0.lowercased().filter { $0 != " " && $0 != "\t" } })
    }
}

extension HTTPField.Name {
    static let rollcallEndpoint = HTTPField.Name("X-Rollcall-Endpoint")!
    static let modelsETag = HTTPField.Name("X-Models-Etag")!
    static let sessionID = HTTPField.Name("X-Session-Id")!
}
