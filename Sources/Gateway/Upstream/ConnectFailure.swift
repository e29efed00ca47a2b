import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Why there is no connection to an endpoint. Nothing of a request has been sent then.
struct ConnectFailure: Error, CustomStringConvertible {
    /// The names are those that polls report for the same failures.
    enum Step: String, Sendable, Hashable {
        case resolve = "resolve_failed"
        case connect = "connect_failed"
        case tls = "tls_failed"
    }

    let step: Step
    /// The gateway lacks descriptors, ports, or memory: the endpoint is not to blame.
    var isOwn = false
    /// For the log. It names addresses and libraries' words, never a key.
    let description: String
}

extension ConnectFailure {
    /// Of an error before there was a connection.
    init(connecting error: any Error) {
        if let error = error as? NIOConnectionError {
            // An error that is not a lookup's is a better reason than the lookup of the other address family.
            if let first = error.connectionErrors.first {
                self.init(connecting: first.error)
            } else {
                let lookup = error.dnsAError ?? error.dnsAAAAError
                self.init(step: .resolve, description: lookup.map(UpstreamErrorText.of) ?? "the name has no address")
            }
            return
        }
        let own: Set<Int32> = [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL]
        let isOwn = (error as? IOError).map { own.contains($0.errnoCode) } ?? false
        self.init(step: .connect, isOwn: isOwn, description: UpstreamErrorText.of(error))
    }
}

/// Describes errors of connections for people. The descriptions of NIO's errors name system calls and types.
enum UpstreamErrorText {
    static func of(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout: "no connection in time"
        case ChannelError.eof, ChannelError.inputClosed, ChannelError.ioOnClosedChannel: "it closed the connection"
        case NIOSSLError.unableToValidateCertificate: "its certificate is not for this host"
        case NIOSSLError.handshakeFailed(let reason): tls("\(reason)")
        case let error as BoringSSLError: tls("\(error)")
        default: "\(error)"
        }
    }

    /// BoringSSL names reasons as in `error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at file:line`.
    private static func tls(_ text: String) -> String {
        guard let reason = text.firstMatch(of: #/OPENSSL_internal:([A-Z0-9_]+)/#)?.1 else {
            return "it closed the connection during the TLS handshake"
        }
        guard reason != "WRONG_VERSION_NUMBER" else { return "the server at this port does not speak TLS" }
        return "TLS: " + reason.lowercased().replacing("_", with: " ")
    }
}
