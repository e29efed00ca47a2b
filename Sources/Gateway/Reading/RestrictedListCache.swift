import Catalog
import NIOCore
import Synchronization

/// The parts of the list that keys with patterns see, each encoded once per change of the list and not per request.
///
/// A part is made outside the lock that all parts share. Requests for the same part meanwhile wait for it instead of
/// making it once more. Bounded: the part that was asked for longest ago goes first.
final class RestrictedListCache: Sendable {
    struct Part: Sendable {
        let etag: String
        let body: ByteBuffer
        let models: VisibleModels
        /// Of the view that it was made of.
        fileprivate let modelStamp: UInt64

        /// The body, and two references to each model.
        fileprivate var byteCount: Int { body.readableBytes + models.models.count * 16 }
    }

    /// The place of one set of patterns. Its lock is held while its part is made.
    private final class Slot: Sendable {
        let part = Mutex<Part?>(nil)
    }

    private struct Entry {
        let slot: Slot
        var bytes = 0
        /// When it was last asked for, counted in requests.
        var turn: UInt64
    }

    private struct State {
        var entries: [ModelPatterns: Entry] = [:]
        var bytes = 0
        var turn: UInt64 = 0
        var made = 0
    }

    private let state = Mutex(State())
    private let maximumCount: Int
    private let maximumBytes: Int

    init(maximumCount: Int = 256, maximumBytes: Int = 32 << 20) {
        self.maximumCount = maximumCount
        self.maximumBytes = maximumBytes
    }

    /// How many are held.
    var count: Int { state.withLock { $0.entries.count } }
    /// How often a part was made.
    var made: Int { state.withLock { $0.made } }

    /// What `patterns` match of the view's list.
    func part(of patterns: ModelPatterns, in view: CatalogView) -> Part {
        let slot = slot(of: patterns)
        return slot.part.withLock { part in
            if let part, part.modelStamp == view.modelStamp { return part }
            let made = view.list(of: patterns)
            let new = Part(
                etag: made.list.etag, body: ByteBuffer(bytes: made.list.bytes), models: made.models,
                modelStamp: view.modelStamp)
            part = new
            state.withLock { note(new, of: patterns, in: slot, &$0) }
            return new
        }
    }

    private func slot(of patterns: ModelPatterns) -> Slot {
        state.withLock { state in
            state.turn += 1
            if let slot = state.entries[patterns]?.slot {
                state.entries[patterns]?.turn = state.turn
                return slot
            }
            let slot = Slot()
            state.entries[patterns] = Entry(slot: slot, turn: state.turn)
            return slot
        }
    }

    private func note(_ part: Part, of patterns: ModelPatterns, in slot: Slot, _ state: inout State) {
        state.made += 1
        // A slot that was dropped while its part was being made counts for nothing.
        if state.entries[patterns]?.slot === slot {
            state.bytes += part.byteCount - (state.entries[patterns]?.bytes ?? 0)
            state.entries[patterns]?.bytes = part.byteCount
        }
        while state.entries.count > maximumCount || state.bytes > maximumBytes, state.entries.count > 1,
            let oldest = state.entries.min(by: { $0.value.turn < $1.value.turn })?.key
        {
            state.bytes -= state.entries.removeValue(forKey: oldest)?.bytes ?? 0
        }
    }
}

/// The list of models as the buffer that the network takes, for each caller.
final class ModelListCache: Sendable {
    let restricted = RestrictedListCache()
    /// The whole list last answered with; replaced as soon as a view has another.
    private let whole = Mutex<(etag: String, body: ByteBuffer)?>(nil)

    func list(for caller: Caller, in view: CatalogView) -> (etag: String, body: ByteBuffer) {
        if let patterns = caller.models {
            let part = restricted.part(of: patterns, in: view)
            return (part.etag, part.body)
        }
        let list = view.list
        return whole.withLock { whole in
            if let whole, whole.etag == list.etag { return whole }
            let new = (etag: list.etag, body: ByteBuffer(bytes: list.bytes))
            whole = new
            return new
        }
    }

    /// The models of the list that `caller` would get.
    func models(for caller: Caller, in view: CatalogView) -> VisibleModels {
        caller.models.map { restricted.part(of: $0, in: view).models } ?? view.visible
    }

    /// The ETag of the list that `caller` would get.
    func etag(for caller: Caller, in view: CatalogView) -> String {
        caller.models.map { restricted.part(of: $0, in: view).etag } ?? view.list.etag
    }
}
