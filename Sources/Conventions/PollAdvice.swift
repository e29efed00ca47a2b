/// Tells a person what to do about a failed poll. The log and the command line print it beside the reason.
public enum PollAdvice {
    /// nil if the failure's own message says what to do, or nobody can tell.
    ///
    /// - Parameter code: what the record of an endpoint has as `last_error.code`
    public static func text(for code: String, endpoint name: String) -> String? {
        switch code {
        case "resolve_failed":
            "correct the host name in the base URL, or make it resolvable where the pollers run"
        case "connect_failed":
            "start the server, or correct host and port of the base URL; a server that listens on 127.0.0.1 is reached "
                + "from its own host only"
        case "connect_timeout":
            "correct the host of the base URL, or let the pollers through the firewall in between"
        case "timeout":
            "look whether the server is stuck or overloaded; ROLLCALL_POLL_TIMEOUT is the time that it has"
        case "tls_failed":
            "use http:// if the server does not speak TLS; ROLLCALL_ENDPOINT_CA_FILE takes the certificate of an "
                + "authority of your own"
        case "unauthorized":
            "give the endpoint the right API key: rollcall endpoints update \(name) --endpoint-key-file FILE"
        case "forbidden":
            "give the endpoint an API key that may list models"
        case "redirected":
            "use the address behind the redirect as base URL, if it is the server's own"
        case "html":
            "correct port or path of the base URL: a web page is there, and no API"
        case "invalid_url":
            "correct the base URL: it is the root of the server's API, such as http://10.0.0.5:8000"
        case "rollcall_gateway":
            "add the inference servers themselves: a gateway cannot be an endpoint"
        case "http_status", "empty_body", "not_json", "no_list", "no_usable_entry", "error_body":
            "ask the same address with curl: is it an inference server, with the right path in its base URL?"
        case "truncated", "connection_reset", "transfer_failed":
            "look at the server's log; does it speak HTTP, without TLS, on that port?"
        case "empty_list":
            "load a model, if the server is not meant to be without one"
        case "key_unreadable":
            "give all gateways and pollers the same ROLLCALL_SECRET_KEY"
        default: nil
        }
    }
}
