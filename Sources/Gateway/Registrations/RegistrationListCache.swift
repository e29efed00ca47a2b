import Catalog
import JSON
import NIOCore
import Synchronization

/// The list of registered models, as the buffer that the network takes.
///
/// Caches each record's JSON. Encodes again only records whose stamp changed, and joins the list again only if any did.
final class RegistrationListCache: Sendable {
    private struct Held {
        var stamp: Catalog.RegistrationStamp
        var bytes: [UInt8]
    }

    private struct State {
        var held: [String: Held] = [:]
        var body: ByteBuffer?
    }

    private let detail: RegistrationAnswer.Detail
    private let state = Mutex(State())

    init(_ detail: RegistrationAnswer.Detail) { self.detail = detail }

    /// `{"models":[…],"total":n}` of what `catalog` holds now and `caller` may see.
    func body(_ catalog: any CatalogSource, for caller: Caller) -> ByteBuffer {
        state.withLock { state in
            let held = state.held
            let (names, changed) = catalog.read { catalog in Self.changes(in: catalog, since: held) }
            if caller.models == nil, changed.isEmpty, names.count == held.count, let body = state.body { return body }
            for (answer, stamp) in changed {
                state.held[answer.view.record.name] = Held(stamp: stamp, bytes: answer.encoded(detail))
            }
            if state.held.count > names.count {
                let known = Set(names)
                state.held = state.held.filter { known.contains($0.key) }
            }
            guard caller.models == nil else {
                // The cached whole list is stale now; the next unrestricted caller rebuilds it.
                if !changed.isEmpty || names.count != held.count { state.body = nil }
                return Self.body(
                    names.filter { caller.allows(model: ModelID($0)) }.compactMap { state.held[$0]?.bytes })
            }
            let body = Self.body(names.compactMap { state.held[$0]?.bytes })
            state.body = body
            return body
        }
    }

    private typealias Changed = [(RegistrationAnswer, Catalog.RegistrationStamp)]

    /// All names there are, and what is not held as it is now.
    private static func changes(
        in catalog: borrowing Catalog, since held: [String: Held]
    ) -> (names: [String], changed: Changed) {
        let all = catalog.registrationStamps
        let stale = all.filter { held[$0.name]?.stamp != $0.stamp }
        var changed: Changed = []
        for (view, entry) in zip(catalog.registrations(named: stale.map(\.name)), stale) {
            changed.append((RegistrationAnswer(view, in: catalog), entry.stamp))
        }
        return (all.map(\.name), changed)
    }

    private static func body(_ records: [[UInt8]]) -> ByteBuffer {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("models", encoded: records)
            writer.field("total", records.count)
        }
        return ByteBuffer(bytes: writer.bytes)
    }
}
