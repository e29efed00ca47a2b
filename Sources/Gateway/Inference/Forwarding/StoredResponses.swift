import Catalog
import Synchronization

/// Which endpoint made which response of `/v1/responses`, as far as this gateway has seen it: a follow-up finds its
/// conversation only there.
///
/// Bounded: the half that was not used for longest is forgotten at once.
final class StoredResponses: Sendable {
    struct Origin: Sendable, Hashable {
        /// The endpoint's id.
        let endpoint: String
        /// Under which the endpoint was asked: who may not use the model may not read its responses.
        let model: ModelID
    }

    private struct State {
        var recent: [String: Origin] = [:]
        var older: [String: Origin] = [:]
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int = 100_000) { self.capacity = capacity }

    func note(_ response: String, _ origin: Origin) { state.withLock { keep(response, origin, &$0) } }

    /// nil if this gateway has not seen it made, or has forgotten it.
    func origin(of response: String) -> Origin? {
        state.withLock { state in
            if let origin = state.recent[response] { return origin }
            guard let origin = state.older[response] else { return nil }
            keep(response, origin, &state)
            return origin
        }
    }

    private func keep(_ response: String, _ origin: Origin, _ state: inout State) {
        if state.recent.count >= capacity / 2 {
            state.older = state.recent
            state.recent = [:]
        }
        state.recent[response] = origin
    }
}

/// Looks for the id of a response in the first bytes of an answer, whole or as events.
///
/// Both begin with it: `{"id":"resp_…"`, and `data: {"type":"response.created",…,"response":{"id":"resp_…"`. Other ids
/// that may stand before it do not begin so (OpenAI's API reference, "The response object").
struct ResponseIDScan {
    static let maximumBytes = 8 << 10
    private static let key = Array("\"id\"".utf8)

    private var seen: [UInt8] = []
    private(set) var isOver = false

    /// The id, once; nil as long as it has not come.
    mutating func take(_ bytes: some Sequence<UInt8>) -> String? {
        guard !isOver else { return nil }
        seen.append(contentsOf: bytes.prefix(Self.maximumBytes - seen.count))
        let found = Self.find(in: seen)
        isOver = found != nil || seen.count >= Self.maximumBytes
        if isOver { seen = [] }
        return found
    }

    private static func find(in bytes: [UInt8]) -> String? {
        var rest = bytes[...]
        while let start = rest.firstRange(of: key) {
            rest = rest[start.upperBound...]
            var value = rest.drop { $0 == 0x20 }
            guard value.popFirst() == UInt8(ascii: ":") else { continue }
            value = value.drop { $0 == 0x20 }
            guard value.popFirst() == UInt8(ascii: "\""), let end = value.firstIndex(of: UInt8(ascii: "\"")) else {
                continue
            }
            let id = value[..<end]
            if id.starts(with: "resp".utf8), id.count <= 256 { return String(decoding: id, as: UTF8.self) }
        }
        return nil
    }
}
