@testable import Gateway

/// The places between two events of a stream, found the slow way.
struct EventPlaces {
    /// For each offset from 0 to the end, whether it lies between events.
    private(set) var isBetween: [Bool] = [true]
    /// Whether all events are complete if the stream ends with these bytes.
    private(set) var isComplete = true

    init(_ bytes: [UInt8]) {
        var line: [UInt8] = []
        var hasField = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let isPair = byte == .carriageReturn && index + 1 < bytes.count && bytes[index + 1] == .lineFeed
            index += isPair ? 2 : 1
            if byte == .carriageReturn || byte == .lineFeed {
                if line.isEmpty { hasField = false }
                line = []
            } else {
                line.append(byte)
                if line.count == 1, byte != .colon { hasField = true }
            }
            if isPair { isBetween.append(false) }
            // Behind a CR at the very end, nobody knows yet whether the line end is complete.
            let isDecided = byte != .carriageReturn || isPair || index < bytes.count
            isBetween.append(line.isEmpty && !hasField && isDecided)
        }
        isComplete = !hasField
    }

    var last: Int { isBetween.lastIndex(of: true) ?? 0 }
}
