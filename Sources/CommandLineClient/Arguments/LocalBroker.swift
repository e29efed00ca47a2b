import Conventions
import FoundationEssentials
import Glibc

/// The private broker that `make run` or `make demo` has started in this checkout.
struct LocalBroker: Sendable, Hashable {
    let url: String
    /// Where its data is, relative to the checkout.
    let folder: String

    /// The one of `make run` before others; nil if none of them listens.
    ///
    /// - Parameter folder: the checkout, or a folder in it
    static func find(from folder: String) -> LocalBroker? {
        var place = folder
        while true {
            let state = place + "/.rollcall"
            let runs = (try? FileManager.default.contentsOfDirectory(atPath: state)) ?? []
            for run in runs.sorted(by: { (rank($0), $0) < (rank($1), $1) }) where rank(run) < 4 {
                // Written by scripts/broker: the port of AMQP, and another one.
                guard let bytes = FileManager.default.contents(atPath: "\(state)/\(run)/broker/ports"),
                    let port = String(decoding: bytes, as: UTF8.self).split(separator: " ").first
                        .flatMap({ UInt16($0) }), isListening(port)
                else { continue }
                return LocalBroker(
                    url: BrokerConvention.defaultURL.replacing(":5672/", with: ":\(port)/"),
                    folder: ".rollcall/\(run)")
            }
            guard let slash = place.lastIndex(of: "/"), place != "/" else { return nil }
            place = slash == place.startIndex ? "/" : String(place[..<slash])
        }
    }

    /// `run`, a run on another port (`run-8401`), and the same of a demo.
    private static func rank(_ name: String) -> Int {
        if name == "run" { return 0 }
        if name.hasPrefix("run-") { return 1 }
        if name == "demo" { return 2 }
        return name.hasPrefix("demo-") ? 3 : 4
    }

    /// A run that was killed, or that uses another broker, leaves the folder of its own one behind.
    private static func isListening(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
