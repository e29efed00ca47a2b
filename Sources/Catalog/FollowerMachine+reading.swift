/// Answers that a `FollowerMachine` gives about its state.
extension FollowerMachine {
    var readiness: Readiness {
        let isPastBarrier = session?.isPastBarrier ?? false
        let isConfirmed = session?.mark.isSeen ?? false
        let lacksCheckpoint = isConfirmed && session?.start == .first && (aside ?? catalog).version == nil
        return Readiness(
            isReady: isReady, isCurrent: isPastBarrier, isUnconfirmed: isPastBarrier && !isConfirmed,
            lacksCheckpoint: lacksCheckpoint, reason: isReady && isPastBarrier && aside == nil ? nil : explanation,
            publishInFull: aside != nil)
    }

    func age(_ now: Instant) -> Duration? { freshness.age(now) }

    /// How far the catalog that is served has been applied. nil unless it is complete, current, and its stream's: nobody may
    /// start from any other one.
    var imageProgress: LogProgress? { isReady && aside == nil && session?.isPastBarrier == true ? progress : nil }

    private var explanation: String? {
        guard session?.isPastBarrier == true else { return reason }
        let completeness = (aside ?? catalog).completeness
        if !completeness.hasCheckpoint { return "the catalog stream has no checkpoint: no registrar has announced yet" }
        if completeness.missingRecords > 0 { return "\(completeness.missingRecords) records are not announced yet" }
        guard let aside else {
            return completeness.missingLists > 0
                ? "the models of \(completeness.missingLists) endpoints are not in the catalog stream yet" : reason
        }
        return aside.lacksSnapshots(of: catalog)
            ? "the catalog stream does not have all snapshots yet" : "the catalog stream is older than what is served"
    }
}
