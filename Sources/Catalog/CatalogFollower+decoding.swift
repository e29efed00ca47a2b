import AMQP
import Logging

/// Decoding, outside of the lock. A backlog is decoded on several cores.
extension CatalogFollower {
    /// Below this many deliveries the detour costs more than it saves.
    private static let chunk = 32

    func decode(_ deliveries: [Delivery]) async -> [FollowerMachine.Incoming] {
        log(await Self.decoded(deliveries))
    }

    static func decoded(_ deliveries: [Delivery]) async -> [Decoded] {
        guard deliveries.count > chunk else { return deliveries.compactMap(decode) }
        return await inParts(deliveries, decode).compactMap { $0 }
    }

    private static func inParts<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ transform: @escaping @Sendable (Element) -> Result
    ) async -> [Result] {
        let starts = Array(stride(from: 0, to: elements.count, by: chunk))
        return await withTaskGroup(of: (Int, [Result]).self) { group in
            for start in starts {
                let part = elements[start..<min(start + chunk, elements.count)]
                group.addTask { (start, part.map(transform)) }
            }
            let results = await group.reduce(into: [Int: [Result]]()) { $0[$1.0] = $1.1 }
            return starts.flatMap { results[$0] ?? [] }
        }
    }

    struct Decoded: Sendable {
        var incoming: FollowerMachine.Incoming
        /// Why there is no message, or only a part of it.
        var problem: String?
        var type: String
    }

    /// nil for what did not come from a stream: it has no place in the log.
    @Sendable private static func decode(_ delivery: Delivery) -> Decoded? {
        guard let offset = delivery.streamOffset else { return nil }
        let type = delivery.message.type
        var incoming = FollowerMachine.Incoming(
            offset: offset, messageID: delivery.message.messageID, size: delivery.message.body.count)
        do {
            incoming.message = try CatalogMessage(delivery.message)
            return Decoded(incoming: incoming, problem: problem(of: incoming.message), type: type)
        } catch {
            let reason = (error as? MalformedMessage)?.reason ?? "cannot be decoded"
            return Decoded(incoming: incoming, problem: reason, type: type)
        }
    }

    private static func problem(of message: CatalogMessage?) -> String? {
        switch message {
        case nil: "unknown type or schema"
        case .snapshotBatch(let batch):
            batch.leftOut.first.map { "\(batch.leftOut.count) rows are left out, the first for: \($0)" }
        default: nil
        }
    }

    private func log(_ decoded: [Decoded]) -> [FollowerMachine.Incoming] {
        for item in decoded {
            guard let problem = item.problem, var metadata = logLimits.admit("malformed") else { continue }
            metadata["type"] = "\(item.type.prefix(64))"
            metadata["offset"] = "\(item.incoming.offset)"
            metadata["reason"] = "\(problem)"
            logger.warning(
                "A message of the catalog stream cannot be read whole: a process of another version, or a foreign one, sent it",
                metadata: metadata)
        }
        return decoded.map(\.incoming)
    }
}
