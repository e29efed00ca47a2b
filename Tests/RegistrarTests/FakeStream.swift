import AMQP
import Catalog
import Logging
import Synchronization

@testable import Registrar

/// A stream in memory that can refuse to be published on.
final class FakeStream: CatalogStream {
    struct State {
        var view = StreamView(
            isCurrent: true, isComplete: false, registry: nil, incarnation: nil, highestRevision: 0, isNew: true)
        var published: [TracedMessage] = []
        /// One for each publish to come; then all succeed.
        var failures: [AMQPError] = []
        var attempts = 0
        /// Whether what is published shows in the view, as a follower would read it back.
        var isFollowed = true
    }

    let state = Mutex(State())

    var view: StreamView { state.withLock { $0.view } }
    var published: [CatalogMessage] { traced.map(\.message) }
    var traced: [TracedMessage] { state.withLock { $0.published } }
    var attempts: Int { state.withLock { $0.attempts } }

    func edit(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

    /// What has been published since the last call, in a few words.
    func takeWords() -> [String] {
        state.withLock { state in
            defer { state.published = [] }
            return words(state.published)
        }
    }

    func publish(_ messages: [TracedMessage]) async throws(AMQPError) {
        let failure: AMQPError? = state.withLock { state in
            state.attempts += 1
            if !state.failures.isEmpty { return state.failures.removeFirst() }
            state.published += messages
            if state.isFollowed { for message in messages { state.view.follow(message.message) } }
            return nil
        }
        if let failure { throw failure }
    }
}

extension StreamView {
    fileprivate mutating func follow(_ message: CatalogMessage) {
        switch message {
        case .registryChanged(let change): highestRevision = max(highestRevision, change.revision)
        case .operationChanged(let operation): highestRevision = max(highestRevision, operation.revision ?? 0)
        case .registryCheckpoint(let part):
            highestRevision = max(highestRevision, part.revision)
            registry = part.registry
            incarnation = part.incarnation
            isComplete = true
            isNew = false
        default: break
        }
    }
}

let quiet = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }

/// A store, a fake stream, and what works between them.
struct Bench {
    let files: TemporaryDatabase
    let store: RegistryStore
    let stream = FakeStream()
    let patience = Patience(logger: quiet) { _ in await Task.yield() }

    init(failpoint: @escaping FailpointHandler = { _ in }) throws {
        files = try TemporaryDatabase()
        store = try files.open(failpoint: failpoint)
    }

    var announcer: Announcer { Announcer(store: store, stream: stream, patience: patience) }

    func processor(failpoint: @escaping FailpointHandler = { _ in }) -> CommandProcessor {
        CommandProcessor(announcer: announcer, failpoint: failpoint, logger: quiet, wallClock: { noon })
    }

    func housekeeper(
        endpoints: String = "", adopt: Bool = false,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws -> Housekeeper {
        Housekeeper(
            announcer: announcer, configured: try ConfiguredEndpoints(endpoints), adopt: adopt, logger: quiet,
            wallClock: { noon }, now: now)
    }
}
