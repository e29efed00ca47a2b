import Catalog

/// What one poll makes of an endpoint: from what was held (the item's base) and what was found now.
struct SnapshotRules: Sendable {
    let poller: String
    /// Two pollers must see an endpoint fail, unless there is only this one.
    let severalPollers: Bool
    /// Milliseconds since 1970.
    let wallMilliseconds: Int64
    /// A gateway is getting bytes from the endpoint.
    var isAlive = false

    /// A server that works on a long request may not answer a poll in time. So this many polls must time out before the
    /// endpoint is offline, where two refused connections are enough.
    static let timeouts = 3
    /// With so many, one poller's word is enough even if there are others.
    private static let certain = 6
    private static let maximumFailures = 1000
    private static let maximumWitnesses = 8

    func row(
        for item: PollItem, _ result: Result<EndpointPoll.Outcome, PollError>
    ) -> SnapshotRow {
        let base = item.base.flatMap { $0.generation == item.endpoint.generation ? $0 : nil }
        switch result {
        case .failure(let error): return failed(item, base, error)
        case .success(let outcome):
            if outcome.models.isEmpty, base?.models?.isEmpty == false, !confirmsEmptyList(base) {
                return emptied(item, base)
            }
            return succeeded(item, base, outcome)
        }
    }

    /// Something that readers wait for: it is published at once.
    static func isChange(_ row: SnapshotRow, from base: SnapshotRow?) -> Bool {
        guard let base else { return true }
        return row.state != base.state || row.digest != base.digest || row.kind != base.kind
            || row.error?.code != base.error?.code || row.gpuMemoryBytes != base.gpuMemoryBytes || row.models != nil
    }

    private func blank(_ item: PollItem, _ base: SnapshotRow?, _ state: EndpointState) -> SnapshotRow {
        SnapshotRow(
            endpoint: item.endpoint.id, generation: item.endpoint.generation, tick: item.tick, poller: poller,
            state: state, kind: base?.kind, observedAt: wallMilliseconds, lastOKAt: base?.lastOKAt,
            gpuMemoryBytes: base?.gpuMemoryBytes,
            baseDigest: base?.digest, digest: base?.digest)
    }

    private func succeeded(
        _ item: PollItem, _ base: SnapshotRow?, _ outcome: EndpointPoll.Outcome
    ) -> SnapshotRow {
        var row = blank(item, base, .online)
        row.kind = item.endpoint.kind == .auto ? outcome.kind : item.endpoint.kind
        row.latencyMilliseconds = outcome.latencyMilliseconds
        row.lastOKAt = wallMilliseconds
        row.digest = outcome.digest
        if row.digest != row.baseDigest { row.models = models(outcome.models, since: base) }
        return row
    }

    /// `outcome.models` with the times at which each was first seen.
    func models(_ models: [ModelEntry], since base: SnapshotRow?) -> [ModelEntry] {
        let known = Dictionary((base?.models ?? []).map { ($0.id, $0.firstSeen) }, uniquingKeysWith: min)
        return models.map { model in
            var model = model
            model.firstSeen = known[model.id] ?? wallMilliseconds / 1000
            return model
        }
    }

    /// Adds the list to a row that leaves it out: the one just polled, or, if that is not the one that counts, the one held.
    func fill(_ row: inout SnapshotRow, for item: PollItem, _ result: Result<EndpointPoll.Outcome, PollError>) {
        guard row.models == nil else { return }
        if row.error == nil, case .success(let outcome) = result {
            row.models = models(outcome.models, since: item.base)
        } else if let base = item.base, base.generation == row.generation, let digest = base.digest,
            digest == row.digest
        {
            row.models = base.models
            row.modelsTick = base.modelsTick
        }
    }

    private func failed(_ item: PollItem, _ base: SnapshotRow?, _ error: PollError) -> SnapshotRow {
        var (failures, failedBy) = streak(after: base)
        let isOffline: Bool
        if error.isTimeout, base?.state != .offline {
            // What answers somebody else is there: this poll does not count.
            if isAlive { (failures, failedBy) = (max(1, base?.failures ?? 0), base?.failedBy ?? []) }
            isOffline =
                !isAlive && failures >= Self.timeouts
                && (!severalPollers || failedBy.count >= 2 || failures >= Self.certain)
        } else {
            isOffline = isConfirmed(failures, failedBy)
        }
        var row = blank(item, base, isOffline ? .offline : .degraded)
        row.failures = failures
        row.failedBy = failedBy
        row.error = error.failure
        return row
    }

    /// An answer without models where there were some. It interrupts a streak of other failures: there was an answer.
    private func emptied(_ item: PollItem, _ base: SnapshotRow?) -> SnapshotRow {
        let (failures, failedBy) = Self.saysEmpty(base) ? streak(after: base) : (1, [poller])
        var row = blank(item, base, .degraded)
        row.failures = failures
        row.failedBy = failedBy
        row.error =
            PollError(.emptyList, "a list without models, where there were \(base?.models?.count ?? 0)").failure
        return row
    }

    private func confirmsEmptyList(_ base: SnapshotRow?) -> Bool {
        let (failures, failedBy) = streak(after: base)
        return Self.saysEmpty(base) && isConfirmed(failures, failedBy)
    }

    private static func saysEmpty(_ base: SnapshotRow?) -> Bool {
        base?.error?.code == PollError.Code.emptyList.name
    }

    /// Failures in a row with this one, and who saw them. Both have a bound, for an endpoint that is away for years: from a
    /// few on, more say nothing more.
    private func streak(after base: SnapshotRow?) -> (failures: Int, failedBy: [String]) {
        let seen = base?.failedBy ?? []
        return (
            min((base?.failures ?? 0) + 1, Self.maximumFailures),
            seen.contains(poller) ? seen : (seen + [poller]).suffix(Self.maximumWitnesses)
        )
    }

    private func isConfirmed(_ failures: Int, _ failedBy: [String]) -> Bool {
        failures >= 3 || failures == 2 && (!severalPollers || failedBy.count >= 2)
    }
}
