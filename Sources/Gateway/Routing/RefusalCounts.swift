import Synchronization

/// How many requests were refused for who asked, by the code of the answer (`invalid_api_key`, …), of which there are few.
final class RefusalCounts: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func count(_ code: String) { counts.withLock { $0[code, default: 0] += 1 } }

    var byCode: [String: Int] { counts.withLock { $0 } }
}
