import Catalog

/// Why a poll gave no list of models.
struct PollError: Error, Sendable, Hashable {
    /// Stable, for programs: part of the `/v0` interface as `last_error.code`.
    enum Code: Sendable, Hashable {
        /// 401: no key, or a wrong one.
        case unauthorized
        /// 403: the key may not list models.
        case forbidden
        /// 3xx: redirects are never followed, since most lead to a login.
        case redirected
        /// Any other status than 200.
        case httpStatus(Int)
        case emptyBody
        case html
        case notJSON
        case truncated
        /// 200, and an error where the list should be.
        case errorBody
        /// JSON, but no list of models.
        case noList
        /// A list, and nothing in it that names a model.
        case noUsableEntry
        case tooManyModels
        /// A valid empty list where there were models; to be confirmed.
        case emptyList
        /// The endpoint's API key cannot be unsealed here.
        case keyUnreadable
        /// The list of another gateway, or of this deployment's own: its models would keep themselves listed.
        case gateway
        /// The record's URL cannot be used.
        case invalidURL
        /// No answer: the code that libcurl's wrapper gave (`timeout`, `connect_failed`, …).
        case transport(String)

        var name: String {
            switch self {
            case .unauthorized: "unauthorized"
            case .forbidden: "forbidden"
            case .redirected: "redirected"
            case .httpStatus: "http_status"
            case .emptyBody: "empty_body"
            case .html: "html"
            case .notJSON: "not_json"
            case .truncated: "truncated"
            case .errorBody: "error_body"
            case .noList: "no_list"
            case .noUsableEntry: "no_usable_entry"
            case .tooManyModels: "too_many_models"
            case .emptyList: "empty_list"
            case .keyUnreadable: "key_unreadable"
            case .gateway: "rollcall_gateway"
            case .invalidURL: "invalid_url"
            case .transport(let name): name
            }
        }
    }

    var code: Code
    /// For people. Made of our own words, never of the answer's: an error body may quote the API key.
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    var failure: PollFailure { PollFailure(code: code.name, message: message) }

    /// There was a connection, and no answer in time.
    var isTimeout: Bool { code == .transport(PollFailure.timeout) }

    /// There was no answer at all.
    var isTransport: Bool { if case .transport = code { true } else { false } }

    /// The server wants a key, a login, or another right.
    var isRefusal: Bool { [.unauthorized, .forbidden, .redirected].contains(code) }

    /// The server answered, only not with what was asked for on this path: another path may do better.
    var concernsThePath: Bool {
        switch code {
        case .httpStatus(let status): (400..<500).contains(status) || status == 501
        case .emptyBody, .html, .notJSON, .errorBody, .noList, .noUsableEntry: true
        case .unauthorized, .forbidden, .redirected, .truncated, .tooManyModels, .emptyList, .keyUnreadable,
            .gateway, .invalidURL, .transport:
            false
        }
    }
}
