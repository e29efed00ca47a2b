import Catalog
import Conventions
import Logging

/// What the log says of endpoints: one line in the whole fleet for each change of an endpoint's state. Pure.
///
/// All pollers hear the same rows in the same order, and a row names the poller that has made the poll. That poller says
/// the line. So no two pollers say it, and none has to agree with another one on who does. The scheduler would not do: two
/// pollers, or none, may take themselves for it while the role moves.
struct EndpointJournal {
    struct Line: Equatable {
        var level: Logger.Level
        var message: Logger.Message
        var metadata: Logger.Metadata
    }

    private struct Entry {
        var state: EndpointState
        /// The reasons that were seen since the endpoint was last online. Each is said once: a server that fails in two
        /// ways by turns would fill the log.
        var reasons: Set<String> = []
        var lastOKAt: Int64?
    }

    /// How many endpoints that are not online a new scheduler names.
    static let maximumNamed = 20

    private let poller: String
    private var entries: [String: Entry] = [:]

    init(poller: String) { self.poller = poller }

    mutating func remove(_ id: String) { entries[id] = nil }

    mutating func keep(only ids: Set<String>) { entries = entries.filter { ids.contains($0.key) } }

    /// Takes in how an endpoint is now. Gives the line that this poller says of it; nil if there is none.
    mutating func note(_ view: EndpointView) -> Line? {
        let old = entries[view.record.id]
        let health = view.snapshot?.health
        let reason = health?.error?.code
        let isSaid = old?.state == view.state && (reason.map { old?.reasons.contains($0) == true } ?? true)
        var entry = Entry(state: view.state, lastOKAt: health?.lastOKAt)
        if let reason { entry.reasons = (old?.reasons ?? []).union([reason]) }
        entries[view.record.id] = entry
        guard !isSaid, let health, health.poller == poller else { return nil }
        return Self.line(view, health, since: old)
    }

    private static func line(_ view: EndpointView, _ health: SnapshotRow, since old: Entry?) -> Line {
        var metadata = description(of: view, health)
        guard view.state == .online else {
            let message: Logger.Message =
                view.state == .degraded
                ? "An endpoint is degraded: a poll has failed, and another one follows" : "An endpoint is offline"
            return Line(level: view.state == .degraded ? .info : .warning, message: message, metadata: metadata)
        }
        metadata["models"] = "\(view.snapshot?.models.count ?? 0)"
        if let kind = health.kind { metadata["kind"] = "\(kind.rawValue)" }
        if let milliseconds = health.latencyMilliseconds { metadata["ms"] = "\(milliseconds)" }
        guard let old, old.state != .pending else {
            return Line(level: .info, message: "An endpoint is online", metadata: metadata)
        }
        if let lastOKAt = old.lastOKAt { metadata["away_seconds"] = "\((health.observedAt - lastOKAt) / 1000)" }
        return Line(level: .info, message: "An endpoint is online again", metadata: metadata)
    }

    /// What a poller says when it begins to make the schedule: how the fleet is, and what is wrong already. Of those
    /// endpoints no line of a change is to be expected, and the logs of the processes before may be gone.
    static func opening(_ views: [EndpointView]) -> [Line] {
        var metadata: Logger.Metadata = [:]
        for state in EndpointState.allCases {
            let count = views.count { $0.state == state }
            if count > 0 { metadata[state.rawValue] = "\(count)" }
        }
        let bad = views.filter { $0.state == .offline || $0.state == .degraded }
        if bad.count > maximumNamed { metadata["not_named"] = "\(bad.count - maximumNamed)" }
        let first = Line(level: .info, message: "This poller makes the schedule of polls", metadata: metadata)
        return [first]
            + bad.prefix(maximumNamed).map { view in
                Line(
                    level: .info,
                    message: view.state == .offline
                        ? "An endpoint has been offline already" : "An endpoint has been degraded already",
                    metadata: view.snapshot.map { description(of: view, $0.health) } ?? [:])
            }
    }

    private static func description(of view: EndpointView, _ health: SnapshotRow) -> Logger.Metadata {
        let record = view.record
        let kind = record.kind == .auto ? health.kind ?? .auto : record.kind
        var metadata: Logger.Metadata = [
            "endpoint": "\(record.name)", "asked": "\(record.baseURL)\(EndpointPoll.formats(of: kind)[0].path)",
        ]
        if let error = health.error {
            metadata["error"] = "\(error.code)"
            metadata["reason"] = "\(error.message)"
            if let advice = PollAdvice.text(for: error.code, endpoint: record.name) { metadata["to_do"] = "\(advice)" }
        }
        return metadata
    }
}
