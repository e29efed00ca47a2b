public import ServiceLifecycle

/// Ends something after everything that uses it has stopped: it stands before its users in the list of services.
public struct Lifetime: Service {
    private let end: @Sendable () async -> Void

    public init(endedBy end: @escaping @Sendable () async -> Void) { self.end = end }

    public func run() async throws {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled instead: the process ends as well.
        }
        await end()
    }
}
