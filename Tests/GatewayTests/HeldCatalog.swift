import Catalog
import Synchronization

@testable import Gateway

/// A real catalog that is fed by the test instead of a stream.
final class HeldCatalog: CatalogSource {
    private struct State {
        var catalog = Catalog()
        var offset: Int64 = 0
        var builder = CatalogViewBuilder()
        var readiness = Readiness(
            isReady: true, isCurrent: true, isUnconfirmed: false, lacksCheckpoint: false, reason: nil,
            publishInFull: false)
        var age: Duration? = .milliseconds(1500)
        var waiting: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    /// With a checkpoint of incarnation 1, so that there is a version.
    init(_ messages: [CatalogMessage] = []) {
        let checkpoint = CheckpointPart(
            registry: "r", incarnation: 1, revision: 0, part: 0, parts: 1, entries: [], madeAt: 1_800_000_000_000)
        apply([.registryCheckpoint(checkpoint)] + messages)
    }

    func apply(_ messages: [CatalogMessage]) {
        let waiting = state.withLock { state in
            for message in messages {
                state.offset += 1
                _ = state.catalog.apply(message, at: state.offset)
            }
            return state.waiting
        }
        for continuation in waiting { continuation.yield() }
    }

    func setReadiness(_ change: (inout Readiness) -> Void) { state.withLock { change(&$0.readiness) } }
    func setAge(_ age: Duration?) { state.withLock { $0.age = age } }

    /// How many waits have begun.
    var waits: Int { state.withLock { $0.waiting.count } }
    var modelList: ModelList { view.list }
    var view: CatalogView {
        state.withLock { state in
            let now = ContinuousClock.now
            return state.builder.view(
                of: &state.catalog, readiness: state.readiness, knownCurrent: state.age.map { now - $0 })
        }
    }
    func read<T>(_ body: (borrowing Catalog) throws -> T) rethrows -> T {
        try state.withLock { state in
            // What leaves is a copy made in here; the lock's own type wants it said that nothing is shared.
            nonisolated(unsafe) let value = try body(state.catalog)
            return value
        }
    }

    func wait<T: Sendable>(
        timeout: Duration, until condition: @escaping @Sendable (borrowing Catalog) -> T?
    ) async -> T? {
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self)
        state.withLock { $0.waiting.append(continuation) }
        continuation.yield()
        return await withTaskGroup(of: T?.self) { group in
            group.addTask {
                for await _ in changes {
                    if let value = self.state.withLock({ condition($0.catalog) }) { return value }
                }
                return nil
            }
            group.addTask {
                do { try await Task.sleep(for: timeout) } catch {}
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
