internal import CCurl
internal import Glibc

/// The authorities that servers' certificates are checked against. It has to outlive the transfers.
final class CertificateAuthorities {
    /// For CURLOPT_CAINFO; nil leaves libcurl's own choice.
    let path: String?
    /// A file in memory, if there are additional authorities: libcurl takes only one file, and a blob of bytes in place of
    /// it would be copied for each connection.
    private let descriptor: Int32?

    /// Throws if a file cannot be read.
    init(_ configuration: HTTPClient.Configuration) throws(HTTPError) {
        let system = curl_version_info(CURLVERSION_SEVENTH)?.pointee.cainfo.map { String(cString: $0) }
        let readable = system.flatMap { access($0, R_OK) == 0 ? $0 : nil }
        guard let additional = configuration.additionalCAFile else {
            path = configuration.caFile ?? readable
            descriptor = nil
            return
        }
        var certificates = try Self.read(additional)
        if let others = configuration.caFile ?? readable {
            // The first file need not end with a line end.
            certificates = try Self.read(others) + [UInt8(ascii: "\n")] + certificates
        }
        let descriptor = rollcall_memory_file("certificate authorities")
        guard descriptor >= 0 else { throw HTTPError(.tls, "no memory for the authorities' certificates") }
        self.descriptor = descriptor
        path = "/proc/self/fd/\(descriptor)"
        guard certificates.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == certificates.count else {
            throw HTTPError(.tls, "no memory for the authorities' certificates")
        }
    }

    deinit {
        if let descriptor { close(descriptor) }
    }

    private static func read(_ path: String) throws(HTTPError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                throw HTTPError(.tls, "the authorities' certificates in \(path) cannot be read")
            }
            bytes += buffer[..<count]
        }
    }
}
