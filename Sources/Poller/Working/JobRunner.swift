import Catalog

/// Does one job: polls its endpoints side by side and reports each.
///
/// Whoever calls has taken credit for each poll. It is given back as the poll ends.
struct JobRunner: Sendable {
    enum Fate: Sendable, Hashable {
        /// All rows are confirmed: the job is done.
        case reported
        /// This poller seems to be cut off from the endpoints: the job belongs to another one.
        case withheld
        /// The broker did not confirm a row, or the poller is stopping. The scheduler dispatches the poll again.
        case unconfirmed
    }

    let fleet: Fleet
    let clock: PollerClock
    let gate: FailureGate
    let credit: PollCredit
    let reporter: Reporter
    let memory: MemorySurvey
    let poll: @Sendable (EndpointRecord, EndpointKind?) async -> Result<EndpointPoll.Outcome, PollError>
    /// Whether rows must carry full lists, because the log is being made anew.
    let publishesInFull: @Sendable () -> Bool
    /// What this poller's catalog holds of an endpoint.
    let held: @Sendable (_ endpoint: String) -> EndpointSnapshot?

    func run(_ polls: [PollItem], severalPollers: Bool) async -> Fate {
        let isSeveral = severalPollers && fleet.mayHaveOthers
        return await withTaskGroup(of: Fate.self) { group in
            for item in polls {
                group.addTask {
                    defer { credit.giveBack() }
                    return await run(item, severalPollers: isSeveral)
                }
            }
            var fate = Fate.reported
            for await one in group {
                if one == .withheld || fate == .reported { fate = one }
            }
            return fate
        }
    }

    private func run(_ item: PollItem, severalPollers: Bool) async -> Fate {
        let result = await poll(item.endpoint, item.base?.kind)
        if Task.isCancelled { return .unconfirmed }
        switch result {
        case .success: await gate.succeeded()
        case .failure(let error):
            let counts = severalPollers && item.base?.state != .offline && error.code != .keyUnreadable
            guard await gate.admits(failureOf: HostName.of(item.endpoint.baseURL), counts: counts) else {
                return .withheld
            }
        }
        let rules = SnapshotRules(
            poller: fleet.poller, severalPollers: severalPollers, wallMilliseconds: clock.wallMilliseconds())
        var row = rules.row(for: item, result)
        memory.amend(&row)
        let isChange = SnapshotRules.isChange(row, from: item.base)
        if publishesInFull() { fill(&row, item, result, rules) }
        guard await reporter.report(row, isChange: isChange) else { return .unconfirmed }
        if row.error == nil { await memory.visit(item.endpoint, kind: row.kind) }
        return .reported
    }

    /// Adds the list: the one just polled, or, where that is not the one that counts, the one held.
    private func fill(
        _ row: inout SnapshotRow, _ item: PollItem, _ result: Result<EndpointPoll.Outcome, PollError>,
        _ rules: SnapshotRules
    ) {
        guard row.models == nil else { return }
        if row.error == nil, case .success(let outcome) = result {
            row.models = rules.models(outcome.models, since: item.base)
        } else if let held = held(row.endpoint), held.health.generation == row.generation, let digest = held.digest,
            digest == row.digest
        {
            row.models = held.models
            row.modelsTick = held.modelsTick
        }
    }
}
