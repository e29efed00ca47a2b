import AMQP
import JSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Of whose health a batch of rows tells, found without decoding it: most of a backlog is told again further on.
struct BatchOutline: Sendable {
    struct Row: Sendable {
        var endpoint: String
        var generation: Int64
        var tick: Int64
    }

    private var rows: [Row] = []
    /// A list of models counts apart from the health that comes with it.
    private var hasModels = false

    /// nil for any other message, and for a batch of which only a decoder can tell.
    init?(_ message: Message) {
        guard message.type == "snapshot.batch" else { return nil }
        do {
            let isUnderstood = try message.body.withUnsafeBytes { try read(batch: $0) }
            guard isUnderstood else { return nil }
        } catch {
            return nil
        }
    }

    private mutating func read(batch: UnsafeRawBufferPointer) throws(JSONProblem) -> Bool {
        var members = JSONKeyScanner(batch)
        while let member = try members.next() {
            guard batch.at(member.key).spells("rows") else { continue }
            let array = batch.at(member.value)
            var elements = JSONKeyScanner(array)
            while let element = try elements.nextElement() {
                guard try read(row: array.at(element)) else { return false }
            }
        }
        // One without rows is not superseded by anything: the decoder says what it is.
        return !rows.isEmpty
    }

    private mutating func read(row: UnsafeRawBufferPointer) throws(JSONProblem) -> Bool {
        var endpoint: String?
        var (generation, tick): (Int64?, Int64?)
        var members = JSONKeyScanner(row)
        while let member = try members.next() {
            let key = row.at(member.key)
            if key.spells("endpoint") {
                endpoint = row.at(member.value).plainText
            } else if key.spells("generation") {
                generation = Int64(String(decoding: row.at(member.value), as: UTF8.self))
            } else if key.spells("tick") {
                tick = Int64(String(decoding: row.at(member.value), as: UTF8.self))
            } else if key.spells("models") {
                hasModels = true
            }
        }
        guard let endpoint, let generation, let tick else { return false }
        rows.append(Row(endpoint: endpoint, generation: generation, tick: tick))
        return true
    }

    /// Which of these, applied in their order, leave nothing behind: those without a list, whose every row is followed by a
    /// newer one of its generation. Health is one register an endpoint, which the newest keeps (`SnapshotRow.supersedes`).
    static func superseded(_ outlines: [BatchOutline?]) -> [Bool] {
        var newest: [String: (generation: Int64, tick: Int64)] = [:]
        var superseded = outlines.map { _ in false }
        for (place, outline) in outlines.enumerated().reversed() {
            guard let outline else { continue }
            let isTold = outline.rows.allSatisfy { row in
                newest[row.endpoint].map { $0.generation == row.generation && $0.tick > row.tick } ?? false
            }
            superseded[place] = isTold && !outline.hasModels
            guard !superseded[place] else { continue }
            for row in outline.rows {
                if let held = newest[row.endpoint], held >= (row.generation, row.tick) { continue }
                newest[row.endpoint] = (row.generation, row.tick)
            }
        }
        return superseded
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func at(_ place: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[place]) }

    fileprivate func spells(_ name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount, let baseAddress else { return false }
        return memcmp(baseAddress, name.utf8Start, count) == 0
    }

    /// What a JSON string says that has no escapes.
    fileprivate var plainText: String? {
        guard count >= 2, first == UInt8(ascii: "\""), !contains(UInt8(ascii: "\\")) else { return nil }
        return String(decoding: self[1..<count - 1], as: UTF8.self)
    }
}
