internal import CCurl
internal import Glibc

extension HTTPError {
    /// What libcurl knew of a transfer when it failed.
    struct Circumstances {
        /// The request was about to be sent: resolving, connecting, and TLS were done.
        var isConnected: Bool
        var redirects: Int
        /// `errno` of the failed connect, 0 when there is none.
        var systemError: Int32
        /// The text in the error buffer.
        var detail: String
    }

    /// The texts are libcurl's constant ones, because what it writes to the error buffer can quote the peer or the URL.
    /// TLS is the exception: that text comes from OpenSSL, tells why a certificate was refused, and names at most the
    /// host.
    init(curl: CURLcode, _ circumstances: Circumstances) {
        let code = Self.code(for: curl, circumstances)
        let text = String(cString: curl_easy_strerror(curl))
        switch code {
        case .connect where circumstances.systemError != 0:
            self.init(code, "\(text): \(String(cString: strerror(circumstances.systemError)))")
        // OpenSSL's words for bytes that are no TLS record.
        case .tls where circumstances.detail.contains("wrong version number"):
            self.init(code, Self.answerWithoutTLS)
        case .tls where !circumstances.detail.isEmpty:
            self.init(code, "\(text): \(circumstances.detail)")
        case .connectTimeout:
            self.init(code, "no connection in time")
        case .timeout:
            self.init(code, "no complete answer in time")
        default:
            self.init(code, text)
        }
    }

    private static func code(for curl: CURLcode, _ circumstances: Circumstances) -> Code {
        switch curl {
        case CURLE_URL_MALFORMAT: .invalidURL
        // The first URL's scheme was checked, so it is either a redirect that leaves http or an answer that is not HTTP.
        case CURLE_UNSUPPORTED_PROTOCOL: circumstances.redirects > 0 ? .invalidURL : .other
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED, CURLE_PROXY: .connect
        case CURLE_OPERATION_TIMEDOUT: circumstances.isConnected ? .timeout : .connectTimeout
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED:
            .tls
        case CURLE_PARTIAL_FILE: .truncated
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_SEND_FAIL_REWIND, CURLE_HTTP2,
            CURLE_HTTP2_STREAM:
            .reset
        case CURLE_TOO_MANY_REDIRECTS: .tooManyRedirects
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        default: .other
        }
    }
}
