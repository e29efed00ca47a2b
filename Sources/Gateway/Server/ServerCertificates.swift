import Glibc
import Launch
import Logging
import NIOSSL
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The certificate and key that the gateway shows its clients, read from files and read again when it is asked to.
final class ServerCertificates: Sendable {
    struct Unreadable: Error, CustomStringConvertible {
        /// The setting that names the file.
        let setting: Setting
        let description: String
    }

    private let certificateFile: String
    private let keyFile: String
    private let held: Mutex<NIOSSLContext>

    /// Throws `Unreadable`, which names the file and not what is in it.
    init(certificateFile: String, keyFile: String) throws {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        held = Mutex(try Self.read(certificateFile, keyFile))
    }

    /// For the next connection.
    var context: NIOSSLContext { held.withLock { $0 } }

    /// Reads the files again. If they cannot be read the certificate of before stays.
    func reload() throws {
        let context = try Self.read(certificateFile, keyFile)
        held.withLock { $0 = context }
    }

    private static func read(_ certificateFile: String, _ keyFile: String) throws -> NIOSSLContext {
        try checkReadable(certificateFile, GatewaySettings.certificateFile)
        try checkReadable(keyFile, GatewaySettings.privateKeyFile)
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
        } catch {
            throw Unreadable(
                setting: GatewaySettings.certificateFile, description: "\(certificateFile) holds no certificates in PEM"
            )
        }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
        } catch {
            throw Unreadable(
                setting: GatewaySettings.privateKeyFile,
                description: "\(keyFile) holds no private key in PEM, or one with a passphrase")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw Unreadable(
                setting: GatewaySettings.privateKeyFile,
                description: "the key in \(keyFile) does not belong to the certificate in \(certificateFile)")
        }
    }

    private static func checkReadable(_ file: String, _ setting: Setting) throws(Unreadable) {
        guard access(file, R_OK) != 0 else { return }
        throw Unreadable(setting: setting, description: "\(file) cannot be read: \(String(cString: strerror(errno)))")
    }
}

/// Reads the certificates again at each SIGHUP, so that a renewed certificate needs no restart.
struct CertificateReload: Service {
    let certificates: ServerCertificates
    let logger: Logger

    func run() async throws {
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            for await _ in hangups {
                do {
                    try certificates.reload()
                    logger.info("The certificate is read again: new connections get it")
                } catch {
                    logger.error(
                        "The new certificate cannot be used, and the one before stays",
                        metadata: [LogKey.reason: "\(error)"])
                }
            }
        }
    }
}
