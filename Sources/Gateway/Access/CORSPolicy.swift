import HTTPTypes

/// Which other sites' pages may call the gateway from a browser (CORS, as the Fetch standard has it).
///
/// Keys come in headers that a page sets itself, never in cookies, so `Access-Control-Allow-Credentials` is never sent
/// and `*` gives a page nothing that its user has not typed into it.
enum CORSPolicy: Sendable, Hashable {
    case all
    /// Each as a browser writes it: `scheme://host[:port]` in lower case.
    case only(Set<String>)

    /// `*`, or origins separated by commas; nil for anything else.
    init?(_ text: String) {
        let words = text.split(separator: ",", omittingEmptySubsequences: false).map { word in
            word.filter { $0 != " " }.lowercased()
        }
        if words == ["*"] {
            self = .all
        } else if words.allSatisfy(Self.isOrigin) {
            self = .only(Set(words))
        } else {
            return nil
        }
    }

    /// Scheme and host, and maybe a port: no path, not even a slash at the end, for no browser sends one.
    private static func isOrigin(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), text[colon...].hasPrefix("://") else {
            return false
        }
        let (scheme, host) = (text[..<colon], text[colon...].dropFirst(3))
        return !scheme.isEmpty && scheme.utf8.allSatisfy { $0 > 0x60 && $0 <= 0x7A || $0 == 0x2D } && !host.isEmpty
            && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F && $0 != 0x3F && $0 != 0x23 && $0 != 0x40 }
    }

    func allows(_ origin: String) -> Bool {
        switch self {
        case .all: true
        case .only(let origins): origins.contains(origin.lowercased())
        }
    }

    /// The answer to a preflight; nil if the request is none. A browser sends it without the page's key.
    ///
    /// - Parameter allow: the methods of the route that is asked about, as `Allow` has them
    func preflight(_ request: Request, allow: String) -> Response? {
        guard request.method == .options, let origin = request.headers[.origin],
            request.headers[.accessControlRequestMethod] != nil
        else { return nil }
        var response = Response(status: .noContent)
        guard allows(origin) else { return response }
        response.headers[.accessControlAllowMethods] = allow
        // "*" would not stand for Authorization, so the page gets the names that it asked for.
        if let names = request.headers[.accessControlRequestHeaders] {
            response.headers[.accessControlAllowHeaders] = names
        }
        response.headers[.accessControlMaxAge] = "600"
        return response
    }

    /// Adds what every answer has, errors too.
    func mark(_ headers: inout HTTPFields, for request: Request) {
        headers.append(HTTPField(name: .vary, value: "Origin"))
        guard let origin = request.headers[.origin], allows(origin) else { return }
        headers[.accessControlAllowOrigin] = self == .all ? "*" : origin
        headers[.accessControlExposeHeaders] = Self.exposed
    }

    /// Fields of answers that a page's script may read.
    private static let exposed =
        "ETag, Location, Retry-After, X-Catalog-Age, X-Catalog-Version, X-Models-Etag, X-Request-Id, X-Rollcall-Endpoint"
}
