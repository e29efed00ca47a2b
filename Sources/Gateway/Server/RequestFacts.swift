import NIOHTTP1

/// What the server itself reads in a request's head, found in one pass over its fields.
struct RequestFacts {
    /// Minor version of HTTP/1.
    let minorVersion: Int
    /// Values of `Host`; more than one is an error.
    private(set) var hosts = 0
    /// Bytes of the body, if `Content-Length` says.
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    /// The client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1).
    private(set) var expectsContinue = false
    /// `Upgrade` with the matching `Connection` option, or CONNECT: the decoder stops behind this request. If it cannot be
    /// told for certain whether it does, the connection ends.
    private(set) var stopsDecoder = false
    /// Why the request is refused; nil if its head is in order.
    private(set) var fault: Fault?
    private var closes = false
    private var staysOpen = false

    enum Fault {
        case missingHost
        case severalHosts
        case unknownTransferCoding
        case transferCodingInHTTP10
        case unknownExpectation
    }

    init(_ head: HTTPRequestHead, _ headers: RequestHeaders) {
        minorVersion = head.version.minor
        var hasUpgrade = false
        var hasEmptyUpgrade = false
        var connection = ConnectionOptions()
        for index in headers.fields.indices {
            let name = headers.fields[index].name
            let value = headers.fields[index].value
            // Nearly all fields are told from those below by their length.
            switch name.utf8.count {
            case 4 where name.isASCIIEqual("host"): hosts += 1
            case 6 where name.isASCIIEqual("expect"):
                if value.isASCIIEqual("100-continue") { expectsContinue = true } else { fault = .unknownExpectation }
            case 7 where name.isASCIIEqual("upgrade"):
                hasUpgrade = true
                if value.utf8.allSatisfy(\.isBlank) { hasEmptyUpgrade = true }
            case 10 where name.isASCIIEqual("connection"): connection.read(value)
            // The decoder takes it for `Connection`.
            case 16 where name.isASCIIEqual("proxy-connection"): connection.read(value)
            case 14 where name.isASCIIEqual("content-length"): contentLength = Int(value)
            case 17 where name.isASCIIEqual("transfer-encoding"):
                if isChunked || !value.isASCIIEqual("chunked") { fault = .unknownTransferCoding }
                isChunked = true
            default: break
            }
        }
        stopsDecoder = hasUpgrade && connection.offersUpgrade || head.method == .CONNECT
        let isUncertain = hasUpgrade && (!connection.isPlain || connection.offersUpgrade && hasEmptyUpgrade)
        closes = connection.closes || isUncertain || !head.isKeepAlive
        staysOpen = connection.staysOpen
        if isChunked, minorVersion == 0 { fault = .transferCodingInHTTP10 }
        if hosts > 1 { fault = .severalHosts }
        if hosts == 0, minorVersion > 0 { fault = .missingHost }
    }

    /// What the `Connection` fields of a request say.
    private struct ConnectionOptions {
        var closes = false
        var staysOpen = false
        var offersUpgrade = false
        /// Parsers may differ in what they make of other characters.
        var isPlain = true

        mutating func read(_ value: String) {
            for option in value.listElements {
                if option.isASCIIEqual("close") { closes = true }
                if option.isASCIIEqual("keep-alive") { staysOpen = true }
                if option.isASCIIEqual("upgrade") { offersUpgrade = true }
            }
            isPlain =
                isPlain && value.utf8.allSatisfy { $0.isTokenCharacter || $0 == UInt8(ascii: ",") || $0 == .space }
        }
    }

    /// Whether the client wants the connection to go on behind the answer (RFC 9112, 9.3).
    var keepsConnection: Bool { !closes && (minorVersion > 0 || staysOpen) }

    /// HTTP/1.0 clients have to be told that their wish was granted.
    var mustConfirmKeepAlive: Bool { minorVersion == 0 && keepsConnection }

    var hasBody: Bool { isChunked || (contentLength ?? 0) > 0 }
}

extension StringProtocol {
    /// Whether this is `other`, which is in lower case, if letter case is ignored for ASCII.
    func isASCIIEqual(_ other: StaticString) -> Bool {
        guard utf8.count == other.utf8CodeUnitCount else { return false }
        let other = UnsafeBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount)
        return utf8.withContiguousStorageIfAvailable { $0.isASCIIEqual(other) }
            ?? String(self).withBytes { $0.isASCIIEqual(other) }
    }
}

extension String {
    /// The elements of a list that commas separate (RFC 9110, 5.6.1), without the blanks around them. A comma is a byte: a
    /// combining mark behind it makes no other character of it.
    var listElements: [Substring] {
        utf8.split(separator: UInt8(ascii: ",")).map { Substring($0).trimmingBlanks }
    }
}

extension Substring {
    /// Without spaces and tabs at both ends (`OWS` of RFC 9110, 5.6.3).
    var trimmingBlanks: Substring {
        guard let first = utf8.firstIndex(where: { !$0.isBlank }), let last = utf8.lastIndex(where: { !$0.isBlank })
        else { return self[endIndex...] }
        return self[first..<utf8.index(after: last)]
    }
}
