import Catalog

/// The waiting lines, one for each model that requests wait for, and which endpoints serve each of them. Requests that
/// only endpoints of one kind understand have a line of their own: all requests in a line have the same endpoints.
struct PlacementLines {
    struct Waiter {
        let sticky: UInt64?
        let excluded: [String]
        let call: @Sendable (PlacementOutcome) -> Void
    }

    /// A class, so that a line can be changed in place while other parts of the dispatcher's state change too. It never
    /// leaves the dispatcher's lock.
    final class Line {
        let model: RequestedModel
        fileprivate(set) var targets: [InferenceTarget]
        fileprivate(set) var waiters = WaitingLine<Waiter>()
        /// Waiters that exclude an endpoint.
        fileprivate(set) var excluding = 0

        fileprivate init(_ model: RequestedModel, _ targets: [InferenceTarget]) {
            self.model = model
            self.targets = targets
        }
    }

    /// All lines together may hold this many times as many waiters as one.
    static let linesInAll = 10

    /// Waiters of one model.
    let limit: Int
    private(set) var count = 0
    private var lines: [RequestedModel: Line] = [:]
    private var byEndpoint: [String: [Line]] = [:]
    private var lastTicket: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    var all: [Line] { Array(lines.values) }
    func line(of model: RequestedModel) -> Line? { lines[model] }
    func lines(at endpoint: String) -> [Line] { byEndpoint[endpoint] ?? [] }

    /// Puts a waiter at the end of its model's line; nil if that line, or all lines together, are full.
    mutating func join(_ model: RequestedModel, _ targets: [InferenceTarget], _ waiter: Waiter) -> PlacementTicket? {
        let line = lines[model] ?? Line(model, targets)
        guard line.waiters.count < limit, count < Self.linesInAll * limit else { return nil }
        if line.waiters.isEmpty {
            lines[model] = line
            index(line)
        }
        lastTicket += 1
        line.waiters.join(waiter, ticket: lastTicket)
        if !waiter.excluded.isEmpty { line.excluding += 1 }
        count += 1
        return PlacementTicket(model: model, number: lastTicket)
    }

    mutating func leave(_ ticket: PlacementTicket) -> Waiter? {
        guard let line = lines[ticket.model], let waiter = line.waiters.leave(ticket.number) else { return nil }
        left(line, waiter)
        return waiter
    }

    mutating func offer(_ line: Line, _ ask: (Waiter) -> WaitingLine<Waiter>.Offer) -> Waiter? {
        guard let waiter = line.waiters.offer(ask) else { return nil }
        left(line, waiter)
        return waiter
    }

    private mutating func left(_ line: Line, _ waiter: Waiter) {
        count -= 1
        if !waiter.excluded.isEmpty { line.excluding -= 1 }
        guard line.waiters.isEmpty else { return }
        unindex(line)
        lines[line.model] = nil
    }

    /// The catalog has changed: the model's endpoints are these now.
    mutating func retarget(_ line: Line, _ targets: [InferenceTarget]) {
        unindex(line)
        line.targets = targets
        index(line)
    }

    private mutating func index(_ line: Line) {
        for target in line.targets { byEndpoint[target.id, default: []].append(line) }
    }

    private mutating func unindex(_ line: Line) {
        for target in line.targets {
            byEndpoint[target.id]?.removeAll { $0 === line }
            if byEndpoint[target.id]?.isEmpty == true { byEndpoint[target.id] = nil }
        }
    }
}
