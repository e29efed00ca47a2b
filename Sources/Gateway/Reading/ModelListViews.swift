import Catalog
import Hummingbird
import Synchronization

/// The parts of the list that keys with patterns see, each encoded once per change of the list and not per request.
///
/// Bounded: the one that was asked for longest ago goes first.
final class ModelListViews: Sendable {
    struct View: Sendable {
        let etag: String
        let body: ByteBuffer
        /// ETag of the whole list that it is a part of.
        fileprivate let whole: String
        fileprivate var turn: UInt64
    }

    private struct State {
        var views: [ModelPatterns: View] = [:]
        var bytes = 0
        var turn: UInt64 = 0
    }

    private let state = Mutex(State())
    private let maximumViews: Int
    private let maximumBytes: Int

    init(maximumViews: Int = 256, maximumBytes: Int = 32 << 20) {
        self.maximumViews = maximumViews
        self.maximumBytes = maximumBytes
    }

    /// How many are held.
    var count: Int { state.withLock { $0.views.count } }

    /// What `patterns` match of the catalog's list as it is now.
    func view(of patterns: ModelPatterns, in catalog: any CatalogSource) -> View {
        let whole = catalog.modelList.etag
        let held = state.withLock { state -> View? in
            guard let view = state.views[patterns], view.whole == whole else { return nil }
            state.turn += 1
            state.views[patterns]?.turn = state.turn
            return view
        }
        if let held { return held }
        let part = catalog.modelList(of: patterns)
        let view = View(
            etag: part.list.etag, body: ByteBuffer(bytes: part.list.bytes), whole: part.whole, turn: 0)
        state.withLock { keep(view, for: patterns, &$0) }
        return view
    }

    private func keep(_ view: View, for patterns: ModelPatterns, _ state: inout State) {
        var view = view
        state.turn += 1
        view.turn = state.turn
        drop(patterns, &state)
        state.views[patterns] = view
        state.bytes += view.body.readableBytes
        while state.views.count > maximumViews || state.bytes > maximumBytes, state.views.count > 1,
            let oldest = state.views.min(by: { $0.value.turn < $1.value.turn })?.key
        {
            drop(oldest, &state)
        }
    }

    private func drop(_ patterns: ModelPatterns, _ state: inout State) {
        guard let old = state.views.removeValue(forKey: patterns) else { return }
        state.bytes -= old.body.readableBytes
    }
}
