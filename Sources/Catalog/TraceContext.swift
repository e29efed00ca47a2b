public import AMQP

/// W3C Trace Context: which trace a piece of work belongs to. Carried in HTTP and AMQP as headers of the same names, as
/// it came: Rollcall records no spans of its own, so a parent id of its own would be one that nobody can find.
public struct TraceContext: Sendable, Hashable, Codable {
    /// `traceparent` (section 3.2).
    public let parent: String
    /// `tracestate` (section 3.3), which belongs to the parent.
    public let state: String?

    /// Of what the current task does; everything that it publishes carries it.
    @TaskLocal public static var current: TraceContext?

    /// Names of the headers.
    public static let parentHeader = "traceparent"
    public static let stateHeader = "tracestate"

    /// What everybody who passes a state on must take (section 3.3.1.5); a longer one is left out.
    static let longestState = 512

    /// nil where `parent` is missing or not valid: then its state means nothing either (section 4.3).
    public init?(parent: String?, state: String?) {
        guard let parent, Self.isValid(parent) else { return nil }
        self.parent = parent
        self.state = state.flatMap { state in
            let bytes = state.utf8
            return (1...Self.longestState).contains(bytes.count) && bytes.allSatisfy(Self.isPrintable) ? state : nil
        }
    }

    /// As a request has it in HTTP.
    public var headers: [(name: String, value: String)] {
        [(Self.parentHeader, parent)] + (state.map { [(Self.stateHeader, $0)] } ?? [])
    }

    /// 32 hex digits: the same for all that belongs together.
    public var traceID: Substring { parent.dropFirst(3).prefix(32) }

    /// `version-traceid-parentid-flags`. Of a version above 00 what follows after a further dash is not known, and is
    /// let through up to a length that any sender keeps; version ff and ids of zeros are not valid.
    public static func isValid(_ parent: String) -> Bool {
        let parts = parent.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let lengths = [2, 32, 16, 2]
        guard parent.utf8.count <= longestState, parent.utf8.allSatisfy(isPrintable), parts.count >= 4,
            zip(parts, lengths).allSatisfy({ $0.count == $1 && $0.allSatisfy(isHex) }),
            !parts[0].elementsEqual("ff".utf8), parts.count == 4 || !parts[0].elementsEqual("00".utf8)
        else { return false }
        return parts[1...2].allSatisfy { $0.contains { $0 != UInt8(ascii: "0") } }
    }

    private static func isHex(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
    private static func isPrintable(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) }
}

extension Message {
    /// The headers `traceparent` and `tracestate`.
    public var trace: TraceContext? {
        get { TraceContext(parent: text(TraceContext.parentHeader), state: text(TraceContext.stateHeader)) }
        set {
            headers[TraceContext.parentHeader] = newValue.map { .string($0.parent) }
            headers[TraceContext.stateHeader] = newValue?.state.map { .string($0) }
        }
    }

    private func text(_ header: String) -> String? {
        guard case .string(let text) = headers[header] else { return nil }
        return text
    }
}
