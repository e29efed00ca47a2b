import Glibc
import NIOCore

extension ProcessExit {
    /// For a server that does not get its address: which setting to change, or what else to do. The code is 1 if the same
    /// settings may work later (the port is in use), else 78.
    ///
    /// - Parameters:
    ///   - portSetting: the name of the setting that `port` is from
    ///   - hostSetting: the name of the setting that `host` is from; nil if there is none
    public static func cannotListen(
        _ host: String, _ port: Int, portSetting: String, hostSetting: String? = nil, because error: any Error
    ) -> ProcessExit {
        let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        func exit(_ code: Int32, _ setting: String, _ reason: String) -> ProcessExit {
            ProcessExit(code: code, message: "\(setting): cannot listen on \(place): \(reason)")
        }
        let ofHost = hostSetting ?? portSetting
        if error is SocketAddressError || error is SocketAddressError.UnknownHost {
            return exit(configuration, ofHost, "the host name cannot be resolved")
        }
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            return exit(
                failure, portSetting, "the port is in use; stop the process that has it, or choose another port")
        case EACCES, EPERM:
            return exit(
                configuration, portSetting,
                "this user may not listen on that port; choose one from 1024 on, or give the process CAP_NET_BIND_SERVICE"
            )
        case EADDRNOTAVAIL:
            return exit(configuration, ofHost, "the address is none of this host; 0.0.0.0 is all of its addresses")
        case let code?: return exit(failure, portSetting, String(cString: strerror(code)))
        case nil: return exit(failure, portSetting, "\(error)")
        }
    }
}
