import Catalog
import JSON
import NIOCore
import Synchronization

/// The list of endpoints. Keeps the JSON of each endpoint until its record or its health changes: formatting thousands of
/// times of day takes longer than all the rest.
final class EndpointListCache: Sendable {
    private struct Held {
        let record: EndpointRecord
        let health: SnapshotRow?
        let modelCount: Int
        let bytes: [UInt8]

        func shows(_ view: EndpointView) -> Bool {
            modelCount == view.snapshot?.models.count ?? 0 && health == view.snapshot?.health && record == view.record
        }
    }

    private struct State {
        var held: [String: Held] = [:]
        var encoded = 0
    }

    private let state = Mutex(State())

    /// How often an endpoint was encoded.
    var encoded: Int { state.withLock { $0.encoded } }

    /// `{"endpoints":[…],"total":n}` of those of `endpoints`, which are all there are, that `isListed` lets pass.
    func body(_ endpoints: [EndpointView], for caller: Caller, isListed: (EndpointView) -> Bool) -> ByteBuffer {
        let listed = endpoints.filter(isListed)
        // A caller with patterns sees other numbers of models, and seldom asks.
        let records =
            caller.models == nil
            ? encode(listed, of: endpoints.count) : listed.map { EndpointAnswer($0, for: caller).encoded() }
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("endpoints", encoded: records)
            writer.field("total", records.count)
        }
        return ByteBuffer(bytes: writer.bytes)
    }

    private func encode(_ listed: [EndpointView], of count: Int) -> [[UInt8]] {
        state.withLock { state in
            let records = listed.map { view in
                if let held = state.held[view.record.id], held.shows(view) { return held.bytes }
                let bytes = EndpointAnswer(view).encoded()
                state.held[view.record.id] = Held(
                    record: view.record, health: view.snapshot?.health, modelCount: view.snapshot?.models.count ?? 0,
                    bytes: bytes)
                state.encoded += 1
                return bytes
            }
            // Some of what is held is of endpoints that were removed. The next request encodes what this one has not.
            if state.held.count > count {
                let known = Set(listed.map(\.record.id))
                state.held = state.held.filter { known.contains($0.key) }
            }
            return records
        }
    }
}
