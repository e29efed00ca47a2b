import Catalog
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Which header fields go on, in either direction; see "Inference" in the HTTP contract.
enum ForwardedHeaders {
    /// Meant for one connection only (RFC 9110, 7.6.1), or made anew for each.
    private static let hopByHop = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-authentication-info",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "content-length",
    ]
    /// The client's own, for this gateway: credentials, and what a browser says of its pages.
    private static let notForEndpoints = FieldNameSet(
        hopByHop + [
            "authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "cookie2", "host", "expect",
            "x-request-id", "origin", "referer", "forwarded", "x-real-ip", "via", TraceContext.parentHeader,
            TraceContext.stateHeader,
        ])
    /// Digests and signatures of a body (RFC 9530, RFC 9421) that is not sent as the client made it.
    private static let bodyDigests = FieldNameSet([
        "content-digest", "repr-digest", "digest", "content-md5", "signature", "signature-input",
    ])
    /// An endpoint's fields that would speak for the gateway's whole site, or that the gateway says itself.
    private static let notForClients = FieldNameSet(
        hopByHop + [
            "set-cookie", "set-cookie2", "alt-svc", "strict-transport-security", "clear-site-data", "server",
            "public-key-pins", "x-request-id", "x-models-etag",
        ])

    /// Whether a client's field goes on to an endpoint.
    static func goesOn(_ name: String, isBodyChanged: Bool) -> Bool {
        var name = name
        return name.withUTF8 { name in
            !(notForEndpoints.contains(name) || isBodyChanged && bodyDigests.contains(name)
                || FieldNameSet.hasPrefix(name, "x-rollcall-") || FieldNameSet.hasPrefix(name, "x-forwarded-")
                || FieldNameSet.hasPrefix(name, "sec-"))
        }
    }

    /// Whether an endpoint's field comes back to a client.
    static func comesBack(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        !(notForClients.contains(name) || FieldNameSet.hasPrefix(name, "x-rollcall-")
            || FieldNameSet.hasPrefix(name, "access-control-"))
    }
}

/// The head of a request to an endpoint.
struct UpstreamRequestHead {
    let method: String
    /// The endpoint's own prefix stands before it.
    let path: String
    /// As the client sent it.
    let query: String?
    let headers: RequestHeaders
    let requestID: String
    /// This gateway's entry for `Via` (RFC 9110, 7.6.3).
    let via: String
    let contentLength: Int
    /// The model's name in the body has been replaced.
    let isBodyChanged: Bool

    func write(to endpoint: UpstreamTarget, into lines: HeadWriter) {
        lines.write(method)
        lines.write(" ")
        lines.write(endpoint.pathPrefix)
        if endpoint.isVersionedRoot, path.hasPrefix(APIRoot.version + "/") {
            lines.write(String(path.dropFirst(APIRoot.version.count)))
        } else {
            lines.write(path)
        }
        if let query {
            lines.write("?")
            lines.write(query)
        }
        lines.write(" HTTP/1.1\r\nHost: ")
        lines.write(endpoint.authority)
        lines.write("\r\nContent-Length: ")
        lines.write(decimal: contentLength)
        lines.write("\r\n")
        let named = headers.connectionOptions
        var vias = ""
        for index in headers.fields.indices {
            let name = headers.fields[index].name
            if name.isASCIIEqual("via") {
                vias += "\(headers.fields[index].value), "
            } else if ForwardedHeaders.goesOn(name, isBodyChanged: isBodyChanged),
                !named.contains(where: { $0.caseInsensitiveEquals(name) })
            {
                lines.writeField(name, headers.fields[index].value)
            }
        }
        if let trace = TraceContext(headers) {
            for (name, value) in trace.headers { lines.writeField(name, value) }
        }
        lines.write("Via: ")
        lines.write(vias)
        lines.write(via)
        lines.write("\r\nX-Request-Id: ")
        lines.write(requestID)
        if let credentials = endpoint.credentials { lines.write(credentials) }
        if endpoint.isAnthropic, !headers.fields.contains(where: { $0.name.isASCIIEqual("anthropic-version") }) {
            lines.write("\r\nAnthropic-Version: ")
            lines.write(EndpointKind.anthropicVersion)
        }
        lines.write("\r\n\r\n")
    }
}

extension RequestHeaders {
    /// The options of all `Connection` fields but the usual ones, which name no field.
    fileprivate var connectionOptions: [Substring] {
        guard mayHaveName(ofLength: "connection".utf8.count) else { return [] }
        var options: [Substring] = []
        for field in fields where field.name.isASCIIEqual("connection") {
            for option in field.value.listElements {
                if !option.isASCIIEqual("keep-alive"), !option.isASCIIEqual("close") { options.append(option) }
            }
        }
        return options
    }

    /// Whether a `Via` field names this entry's receiver (the part behind the protocol version).
    func viaNames(_ receiver: String) -> Bool {
        guard mayHaveName(ofLength: "via".utf8.count) else { return false }
        for field in fields where field.name.isASCIIEqual("via") {
            for entry in field.value.listElements {
                let parts = entry.split(separator: " ")
                if parts.count >= 2, parts[1] == receiver { return true }
            }
        }
        return false
    }
}

extension Substring {
    fileprivate func caseInsensitiveEquals(_ other: String) -> Bool {
        utf8.count == other.utf8.count
            && zip(utf8, other.utf8).allSatisfy { $0.lowercasedASCII == $1.lowercasedASCII }
    }
}

extension HTTPField.Name {
    static let modelsETag = HTTPField.Name("X-Models-Etag")!
    static let sessionID = HTTPField.Name("X-Session-Id")!
}

/// The head of an answer as the client gets it: the endpoint's own lines but those that stay, and the gateway's.
enum ClientAnswerHead {
    /// Writes all but the empty line at the end, so that the gateway's fields can follow.
    ///
    /// - Parameter date: used if the endpoint has sent none
    static func write(
        _ head: AnswerHead, framing: AnswerPassage.ClientFraming, date: String, connection: StaticString?,
        into lines: HeadWriter
    ) {
        lines.write("HTTP/1.1 ")
        lines.write(decimal: head.status)
        lines.write(" ")
        var hasDate = false
        head.bytes.withUnsafeReadableBytes { bytes in
            let all = bytes.assumingMemoryBound(to: UInt8.self)
            lines.write(UnsafeRawBufferPointer(rebasing: bytes[head.reason]))
            lines.write("\r\n")
            for field in head.fields {
                let name = UnsafeBufferPointer(rebasing: all[field.name])
                guard ForwardedHeaders.comesBack(name), !head.isListedInConnection(field) else { continue }
                if name.count == 4, head.isNamed(field, "date") { hasDate = true }
                lines.write(UnsafeRawBufferPointer(rebasing: bytes[field.line]))
            }
        }
        switch framing {
        case .length(let length):
            lines.write("Content-Length: ")
            lines.write(decimal: length)
            lines.write("\r\n")
        case .chunked: lines.write("Transfer-Encoding: chunked\r\n")
        case .none, .close: break
        }
        if !hasDate { lines.writeField("Date", date) }
        if let connection {
            lines.write("Connection: ")
            lines.write(connection)
            lines.write("\r\n")
        }
    }
}
