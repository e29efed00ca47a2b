import AMQP
import Logging

/// Decoding, off the lock, and on several cores where there is a backlog.
extension CatalogFollower {
    /// Below this many deliveries the detour costs more than it saves.
    private static let chunk = 32

    func decode(_ deliveries: [Delivery], _ malformed: inout LogLimit) async -> [FollowerMachine.Incoming] {
        guard deliveries.count > Self.chunk else {
            return log(deliveries.compactMap(Self.decode), &malformed)
        }
        let starts = Array(stride(from: 0, to: deliveries.count, by: Self.chunk))
        let decoded = await withTaskGroup(of: (Int, [Decoded]).self) { group in
            for start in starts {
                let part = deliveries[start..<min(start + Self.chunk, deliveries.count)]
                group.addTask { (start, part.compactMap(Self.decode)) }
            }
            return await group.reduce(into: [Int: [Decoded]]()) { $0[$1.0] = $1.1 }
        }
        return log(starts.flatMap { decoded[$0] ?? [] }, &malformed)
    }

    private struct Decoded: Sendable {
        var incoming: FollowerMachine.Incoming
        /// Why there is no message; nil where there is.
        var problem: String?
        var type: String
    }

    /// nil for what did not come from a stream: it has no place in the log.
    private static func decode(_ delivery: Delivery) -> Decoded? {
        guard let offset = delivery.streamOffset else { return nil }
        let type = delivery.message.type
        var incoming = FollowerMachine.Incoming(offset: offset, messageID: delivery.message.messageID)
        do {
            incoming.message = try CatalogMessage(delivery.message)
            let problem = incoming.message == nil ? "unknown type or schema" : nil
            return Decoded(incoming: incoming, problem: problem, type: type)
        } catch {
            let reason = (error as? MalformedMessage)?.reason ?? "cannot be decoded"
            return Decoded(incoming: incoming, problem: reason, type: type)
        }
    }

    private func log(_ decoded: [Decoded], _ malformed: inout LogLimit) -> [FollowerMachine.Incoming] {
        for item in decoded {
            guard let problem = item.problem, let left = malformed.admit(.now) else { continue }
            logger.info(
                "Skipped a message of the catalog stream",
                metadata: [
                    "type": "\(item.type.prefix(64))", "offset": "\(item.incoming.offset)", "reason": "\(problem)",
                    "left_out": "\(left)",
                ])
        }
        return decoded.map(\.incoming)
    }
}
