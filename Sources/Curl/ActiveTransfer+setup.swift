internal import CCurl

extension ActiveTransfer {
    /// Sets the options of the transfer, and those of all transfers if the handle has not got them yet.
    func setUp(_ configuration: HTTPClient.Configuration, _ authorities: CertificateAuthorities) throws(HTTPError) {
        easy.transfer = self
        if !easy.isPrepared {
            try setUpCallbacks()
            try setUpPolicy(configuration)
            try setUpAuthorities(authorities)
            easy.isPrepared = true
        }
        try setUpTimeouts()
        try setUpRequest()
    }

    /// Whether `setUpRequest` sets all options that this transfer changes anew for the next one.
    var keepsOptions: Bool {
        let request = exchange.request
        // libcurl takes the user part of a URL into options of its own.
        return isPlain && request.decodesContent && request.maximumRedirects == 0 && !request.url.utf8.contains(0x40)
    }

    private func setUpCallbacks() throws(HTTPError) {
        let context = UnsafeRawPointer(Unmanaged.passUnretained(easy).toOpaque())
        try easy.set(CURLOPT_PRIVATE, pointer: context)
        try easy.set(CURLOPT_ERRORBUFFER, pointer: easy.errorText)
        try easy.set(CURLOPT_HEADERFUNCTION, function: receiveHeader)
        try easy.set(CURLOPT_HEADERDATA, pointer: context)
        try easy.set(CURLOPT_WRITEFUNCTION, function: receiveBody)
        try easy.set(CURLOPT_WRITEDATA, pointer: context)
        try easy.setPrerequestFunction(noteConnected)
        try easy.set(CURLOPT_PREREQDATA, pointer: context)
    }

    /// For a body that is read piece by piece.
    private func setUpSource() throws(HTTPError) {
        let context = UnsafeRawPointer(Unmanaged.passUnretained(easy).toOpaque())
        try easy.set(CURLOPT_READFUNCTION, function: sendBody)
        try easy.set(CURLOPT_READDATA, pointer: context)
        try easy.setSeekFunction(seekBody)
        try easy.set(CURLOPT_SEEKDATA, pointer: context)
    }

    private func setUpPolicy(_ configuration: HTTPClient.Configuration) throws(HTTPError) {
        // Signals are per process: a thread among many must not let libcurl use SIGALRM or touch SIGPIPE.
        try easy.set(CURLOPT_NOSIGNAL, true)
        // Without it, ending a transfer whose name is being resolved waits for the resolver's thread, and with it every
        // other transfer.
        try easy.set(CURLOPT_QUICK_EXIT, true)
        try easy.set(CURLOPT_PROTOCOLS_STR, "http,https")
        try easy.set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        try easy.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
        try easy.set(CURLOPT_SSL_VERIFYPEER, true)
        try easy.set(CURLOPT_SSL_VERIFYHOST, 2)
        try easy.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        // Empty turns off the proxies named by the environment.
        try easy.set(CURLOPT_PROXY, configuration.proxy ?? "")
        try easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, true)
        try easy.set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        try easy.set(CURLOPT_TCP_KEEPALIVE, true)
        try easy.set(CURLOPT_TCP_KEEPIDLE, 30)
        try easy.set(CURLOPT_TCP_KEEPINTVL, 15)
        try easy.set(CURLOPT_USERAGENT, configuration.userAgent)
    }

    private func setUpAuthorities(_ authorities: CertificateAuthorities) throws(HTTPError) {
        guard let path = authorities.path else { return }
        try easy.set(CURLOPT_CAINFO, path)
        // A folder of certificates besides the file would be trusted as well. It would also keep libcurl from reading
        // the file once for all connections: 22 ms of CPU for each new one with Debian's 140 authorities, in place of 2.
        try easy.set(CURLOPT_CAPATH, pointer: nil)
    }

    private func setUpTimeouts() throws(HTTPError) {
        let request = exchange.request
        try easy.set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.connectTimeout))
        try easy.set(CURLOPT_TIMEOUT_MS, request.totalTimeout.map(Self.milliseconds) ?? 0)
    }

    /// Rounded up, and never 0, which to libcurl is its default of five minutes or no limit at all.
    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        let longest = Int64(Int32.max / 1000)
        guard seconds < longest else { return Int(longest) * 1000 }
        return max(1, Int(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }

    private func setUpRequest() throws(HTTPError) {
        let request = exchange.request
        try easy.set(CURLOPT_URL, request.url)
        if request.maximumRedirects > 0 {
            try easy.set(CURLOPT_FOLLOWLOCATION, true)
            try easy.set(CURLOPT_MAXREDIRS, min(request.maximumRedirects, Int(Int32.max)))
        }
        // Empty: every coding that libcurl was built with.
        if request.decodesContent {
            try easy.set(CURLOPT_ACCEPT_ENCODING, "")
        } else {
            try easy.set(CURLOPT_ACCEPT_ENCODING, pointer: nil)
        }
        for (name, value) in request.headers where !Self.isFraming(name) {
            try headers.append(name: name, value: value)
        }
        // libcurl holds back larger bodies for a second, waiting for a `100 Continue` that many servers never send.
        try headers.suppress(name: "Expect")
        try setUpBody()
        try easy.set(CURLOPT_HTTPHEADER, list: headers.first)
    }

    private static func isFraming(_ name: String) -> Bool {
        isSameHeader(name, "content-length") || isSameHeader(name, "transfer-encoding") || isSameHeader(name, "expect")
    }

    private func setUpBody() throws(HTTPError) {
        let request = exchange.request
        switch body {
        case .none where request.method == "HEAD":
            try easy.set(CURLOPT_NOBODY, true)
            return
        case .none where !["POST", "PUT", "PATCH"].contains(request.method):
            // GET, DELETE, OPTIONS, …: the default, under another name.
            if request.method != "GET" { try easy.set(CURLOPT_CUSTOMREQUEST, request.method) }
            return
        case .none: try setUpPost(bytes: [])
        case .bytes(let bytes):
            try setUpPost(bytes: bytes)
            body = .none  // libcurl has a copy of its own
        case .source(let source):
            try easy.set(CURLOPT_POST, true)
            try easy.set(CURLOPT_POSTFIELDSIZE_LARGE, offset: source.count)
            try setUpSource()
        }
        if request.method != "POST" { try easy.set(CURLOPT_CUSTOMREQUEST, request.method) }
        // CURLOPT_POST says that the body is a form.
        if firstValue(of: "content-type", in: request.headers) == nil { try headers.suppress(name: "Content-Type") }
    }

    private func setUpPost(bytes: [UInt8]) throws(HTTPError) {
        try easy.set(CURLOPT_POST, true)
        try easy.set(CURLOPT_POSTFIELDSIZE_LARGE, offset: bytes.count)
        // An empty array may have no address, and to libcurl NULL is "ask the read function".
        var failure: HTTPError?
        (bytes.isEmpty ? [0] : bytes).withUnsafeBytes { buffer in
            do throws(HTTPError) {
                try easy.set(CURLOPT_COPYPOSTFIELDS, pointer: buffer.baseAddress)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
