/// A body that is held somewhere and can be read more than once, from any place in it.
public protocol HTTPBodySource: Sendable {
    /// In bytes; does not change.
    var count: Int { get }
    /// Copies what follows `offset`, as much as there is and fits, and gives how many bytes that were. Called on the
    /// client's thread, which serves every other transfer too: it must not wait.
    func copy(from offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int
}

/// What is asked of a server, and how long and how much the answer may take.
public struct HTTPRequest: Sendable {
    /// What is sent with the request.
    public enum Body: Sendable {
        /// No body. A POST, PUT, or PATCH then says `Content-Length: 0`.
        case none
        /// The whole body, its length told in advance.
        case bytes([UInt8])
        /// Read piece by piece as the peer takes it, its length told in advance, and never copied as a whole.
        case source(any HTTPBodySource)
    }

    /// A token of RFC 9110, section 9.1, sent as it is written.
    public var method: String = "GET"
    /// Absolute, http or https only. User and password in it are sent as Basic credentials.
    public var url: String
    /// Sent as given, in order. `Content-Length`, `Transfer-Encoding`, and `Expect` are left out: the framing of the
    /// body follows from `body`. A name or value with a line break or a NUL fails with `invalidRequest`.
    public var headers: [(name: String, value: String)] = []
    public var body: Body = .none
    /// For name resolution, TCP, and TLS together; at least a millisecond.
    public var connectTimeout: Duration = .seconds(5)
    /// For the whole exchange, the time a consumer keeps a stream waiting included; nil for none.
    public var totalTimeout: Duration? = .seconds(30)
    /// From the start until the first byte of the answer's body, its head included; nil for none. Running out fails with
    /// `timeout`, or with `connectTimeout` where there is no connection yet.
    public var firstByteTimeout: Duration?
    /// Between two pieces of the answer's body, the time in which a consumer takes nothing of a full buffer included;
    /// nil for none. Running out fails with `timeout`.
    public var idleTimeout: Duration?
    /// Whether content codings are asked for and undone. Without, the body comes as it was sent, and `Accept-Encoding`
    /// is the caller's.
    public var decodesContent = true
    /// Of the decoded body; a longer one fails with `tooLarge`. Holds for streams too: `Int.max` for no limit.
    public var maximumBodyBytes: Int = 32 << 20
    /// 0 for none: the answer is then the redirect itself. Never leaves http/https.
    ///
    /// `Authorization`, `Cookie`, and the user part of the URL do not follow to another scheme, host, or port (libcurl
    /// does that since 7.83); every other header does. A POST that is answered with 301, 302, or 303 goes on as a GET.
    public var maximumRedirects: Int = 0

    public init(url: String) { self.url = url }
}
