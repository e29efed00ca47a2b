/// How long and how much the Hub may take.
struct HubLimits: Sendable {
    var connectTimeout = Duration.seconds(5)
    /// Of one request.
    var requestTimeout = Duration.seconds(15)
    /// Of all requests of one lookup, the waits between them included.
    var lookupTimeout = Duration.seconds(45)
    /// Of one answer, decompressed.
    var maximumAnswerBytes = 32 << 20
    /// Of one small file that is in LFS: indexes of models with hundreds of experts are above 10 MB, which the Hub keeps
    /// nowhere else.
    var maximumStoredFileBytes = 64 << 20
    /// Requests at once, of all lookups.
    var concurrentTransfers = 16
    var maximumRedirects = 5
    /// The first one included.
    var attempts = 3
    /// The least wait before a second attempt, doubled for the third; up to half as much again is added.
    var retryDelay = Duration.milliseconds(500)

    init() {}
}

/// The waits between attempts.
struct HubPauses: Sendable {
    /// Throws when the task is cancelled.
    var sleep: @Sendable (Duration) async throws -> Void
    /// From 0 to 1.
    var jitter: @Sendable () -> Double

    static let real = HubPauses(
        sleep: { try await Task.sleep(for: $0) }, jitter: { Double.random(in: 0...1) })
}
