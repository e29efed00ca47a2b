import Glibc
import Logging

/// What a process asks of the system when it starts.
enum ProcessLimits {
    /// A write to a connection that the peer has closed must be an error of that call, not the end of the process.
    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// As many open files as the system lets this user have: the usual soft limit of 1024 is fewer than the
    /// connections to a large fleet.
    static func raiseOpenFiles(logger: Logger) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else { return }
        limit.rlim_cur = limit.rlim_max
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
            logger.info(
                "The limit of open files could not be raised",
                metadata: ["reason": "\(String(cString: strerror(errno)))"])
        }
    }
}
