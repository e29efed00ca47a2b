import JSON

/// What an endpoint answered to one request.
struct EndpointAnswer: Sendable, Hashable {
    var status: Int
    var body: [UInt8]
    /// It has `X-Catalog-Version`, as the lists of Rollcall's gateways have.
    var isFromGateway = false

    /// The body of a 200 as JSON.
    ///
    /// The content type is not asked: servers label JSON as text and error pages as JSON. The body decides.
    func json() throws(PollError) -> JSONValue {
        switch status {
        case 200: break
        case 300..<400:
            throw PollError(.redirected, "HTTP \(status): redirects are not followed; they mostly lead to a login")
        case 401: throw PollError(.unauthorized, "HTTP 401: the endpoint wants an API key, or refused the one it got")
        case 403: throw PollError(.forbidden, "HTTP 403: the endpoint does not allow listing its models")
        default: throw PollError(.httpStatus(status), "HTTP \(status)")
        }
        guard !isFromGateway else {
            throw PollError(
                .gateway, "the endpoint is a Rollcall gateway; register the servers behind it, not the gateway")
        }
        let first = body.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
        guard let first else { throw PollError(.emptyBody, "HTTP 200 with an empty body") }
        if first == UInt8(ascii: "<") { throw PollError(.html, "HTTP 200 with a page of HTML or XML in place of JSON") }
        do {
            return try JSONReader.read(body)
        } catch {
            switch error.kind {
            case .truncated: throw PollError(.truncated, "the JSON ends early, after \(body.count) bytes")
            case .malformed: throw PollError(.notJSON, "\(error) of \(body.count)")
            case .tooDeep: throw PollError(.notJSON, "\(error)")
            }
        }
    }
}
