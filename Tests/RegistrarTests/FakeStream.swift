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
        /// No broker takes a message of which this is true.
        var isTooLong: @Sendable (CatalogMessage) -> Bool = { _ in false }
        /// Whether what is published shows in the view, as a follower would read it back.
        var isFollowed = true
        var records = StreamRecords()
    }

    let state = Mutex(State())

    var view: StreamView { state.withLock { $0.view } }
    var records: StreamRecords { state.withLock { $0.records } }
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
            if messages.contains(where: { state.isTooLong($0.message) }) {
                return AMQPError(.invalidMessage, "the body is too long")
            }
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

    var announcer: Announcer { Announcer(store: store, stream: stream, patience: patience, logger: quiet) }

    /// Registers `repo` by a command that is accepted and then finished.
    @discardableResult
    func register(_ repo: String, change: (inout RegistrationRecord) -> Void = { _ in }) async throws -> Operation {
        let request = RegistrationRequest(repo: repo)
        _ = try await store.execute(command("register-\(repo)", .registerModel(request)), at: noon)
        guard let accepted = try await store.accepted().first(where: { $0.id == "register-\(repo)" }) else {
            throw CancellationError()
        }
        var record = registration(repo, commit: "c1")
        change(&record)
        guard let operation = try await store.finish(accepted, .registered(record), at: noon, dueAt: noon) else {
            throw CancellationError()
        }
        return operation
    }

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
