#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A facility of the tests: a place where the registrar kills itself the first time it gets there for a client's
/// command (`ROLLCALL_FAILPOINT`), as a power cut would.
enum Failpoint: String, Sendable, CaseIterable {
    case beforeCommit = "before-commit"
    case afterCommit = "after-commit"
    case afterAnnounce = "after-announce"
}

/// What is called at each failpoint; a thrown error rolls back what is not committed.
typealias FailpointHandler = @Sendable (Failpoint) throws -> Void

extension Failpoint {
    /// Ends this process with SIGKILL at `chosen`: nothing is flushed, closed, or said.
    static func killing(at chosen: Failpoint?) -> FailpointHandler {
        { reached in
            if reached == chosen { kill(getpid(), SIGKILL) }
        }
    }
}
