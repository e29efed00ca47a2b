import Curl

/// Waits for the outcome of an endpoint's first poll, and says what can be done about one that failed.
struct FirstPoll: Sendable {
    let session: Session

    private static let pause = Duration.milliseconds(250)

    /// The endpoint's record after the poll.
    ///
    /// - Parameter path: of the endpoint
    func finish(_ path: String, from first: HTTPResponse) async throws -> HTTPResponse {
        var response = first
        while JSONValue(response.body)?["state"].string == "pending" {
            guard session.time.left > Self.pause else {
                throw CommandFailure(
                    .tryAgain,
                    "the endpoint was added, and was not polled within \(session.time.limit.components.seconds) s",
                    code: "still_pending", hint: "Is a poller running? rollcall endpoints list shows what became of it."
                )
            }
            try await session.time.pause(Self.pause)
            response = try await session.settled(path)
        }
        return response
    }

    /// Throws if the poll failed.
    static func check(_ endpoint: JSONValue) throws {
        let state = endpoint["state"].string
        guard let state, state != "online" else { return }
        let name = HumanText.clean(endpoint["name"].string ?? "the endpoint")
        let error = endpoint["last_error"]
        throw CommandFailure(
            .failure, "\(name) was added, and is not online: \(EndpointText.error(error) ?? state)",
            hint: (error["code"].string.flatMap { advice($0, name: name) } ?? "It is polled again and again.")
                + " To remove it: rollcall endpoints remove \(name)")
    }

    /// By the code of a failed poll.
    static func advice(_ code: String, name: String) -> String? {
        let newURL = "rollcall endpoints update \(name) --base-url …"
        return switch code {
        case "connect_failed":
            "Is the server running, and does it listen on that address and port, and not on its own loopback only? It is "
                + "polled again and again."
        case "connect_timeout", "timeout":
            "Is the server busy or behind a firewall? The pollers must be able to reach it. It is polled again and again."
        case "resolve_failed": "The pollers do not find that host name. To correct it: \(newURL)"
        case "tls_failed":
            "The certificate is not one that the pollers trust, or the server speaks no TLS: then it is http://. "
                + "Authorities of your own go into ROLLCALL_ENDPOINT_CA_FILE of pollers and gateways."
        case "unauthorized", "forbidden":
            "To give its key: rollcall endpoints update \(name) --endpoint-key-file FILE"
        case "key_unreadable": "Gateways and pollers must have the same ROLLCALL_SECRET_KEY."
        case "redirected", "html", "not_json", "no_list", "error_body", "empty_body", "http_status", "invalid_url",
            "no_usable_entry":
            "Is that the address of an inference server, and not of a page or a proxy before it? To correct it: \(newURL)"
        case "rollcall_gateway": "Add the inference servers themselves; a gateway cannot be an endpoint."
        default: nil
        }
    }
}
