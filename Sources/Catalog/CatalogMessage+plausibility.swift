/// Checks of values that are well-formed JSON and would do harm: a tick near the greatest integer would be the last one
/// that a scheduler could ever give out.
extension CatalogMessage {
    /// What is wrong with the values; nil where nothing is.
    var implausibility: String? {
        switch self {
        // Its rows are looked at one by one as they are read.
        case .snapshotBatch: nil
        case .registryChanged(let change): change.implausibility
        case .registryCheckpoint(let part): part.implausibility
        case .operationChanged(let operation): operation.implausibility
        case .refresh(let refresh):
            refresh.records.firstReason(\.implausibility) ?? refresh.checkpoint.firstReason(\.implausibility)
                ?? refresh.snapshots.firstReason(\.implausibility)
                ?? refresh.operations.firstReason(\.implausibility)
                ?? refresh.verifications.firstReason(\.implausibility)
                ?? (refresh.hubs ?? []).firstReason(\.implausibility)
        case .verifyResult(let result): result.implausibility
        case .hubChanged(let change): change.implausibility
        case .registrarClock(let clock): plausible.contains(clock.at) ? nil : "a clock is out of range"
        case .pollRequested, .endpointSuspect, .endpointAlive, .pollerCutOff, .syncMark, .catalogRequested: nil
        }
    }
}

/// What JSON numbers hold exactly in every reader, and more than any revision, tick, or time stamp comes to.
private let plausible: ClosedRange<Int64> = -(1 << 53)...(1 << 53)

extension Array {
    fileprivate func firstReason(_ reason: (Element) -> String?) -> String? {
        for element in self {
            if let found = reason(element) { return found }
        }
        return nil
    }
}

extension SnapshotRow {
    var implausibility: String? {
        guard plausible.contains(tick), plausible.contains(generation), plausible.contains(modelsTick ?? 0),
            plausible.contains(observedAt), plausible.contains(lastOKAt ?? 0), plausible.contains(gpuMemoryBytes ?? 0)
        else { return "a row's number is out of range" }
        guard (0...1_000_000).contains(failures) else { return "a row's failures are out of range" }
        guard state != .pending else { return "a row says pending" }
        guard
            (models ?? []).allSatisfy({
                plausible.contains($0.firstSeen) && plausible.contains(Int64($0.contextLength ?? 0))
                    && plausible.contains($0.sizeBytes ?? 0) && plausible.contains(Int64($0.contextLengthMax ?? 0))
            })
        else { return "a model's number is out of range" }
        return nil
    }
}

extension RegistryChange {
    fileprivate var implausibility: String? {
        guard (1...plausible.upperBound).contains(revision) else { return "revision out of range" }
        guard endpoint == nil || kind == .endpoint, registration == nil || kind == .registration,
            key == nil || kind == .key
        else { return "record of another kind" }
        if let key, key.id != id || key.revision != revision { return "record of another id or revision" }
        if let registration {
            guard registration.name == id, registration.revision == revision else {
                return "record of another id or revision"
            }
            guard (0...revision).contains(registration.generation) else { return "generation above the revision" }
        }
        guard let endpoint else { return nil }
        guard endpoint.id == id, endpoint.revision == revision else { return "record of another id or revision" }
        guard (0...revision).contains(endpoint.generation) else { return "generation above the revision" }
        return nil
    }
}

extension VerifyResult {
    fileprivate var implausibility: String? {
        guard (1...plausible.upperBound).contains(number), plausible.contains(generation), plausible.contains(at) else {
            return "a verification's number is out of range"
        }
        return nil
    }
}

extension HubChange {
    fileprivate var implausibility: String? {
        (1...plausible.upperBound).contains(revision) ? nil : "revision out of range"
    }
}

extension CheckpointPart {
    fileprivate var implausibility: String? {
        guard (1...10_000).contains(parts), (0..<parts).contains(part) else { return "part out of range" }
        guard (0...plausible.upperBound).contains(revision), (0...plausible.upperBound).contains(incarnation),
            plausible.contains(madeAt)
        else { return "a checkpoint's number is out of range" }
        guard entries.allSatisfy({ (1...max(1, revision)).contains($0.revision) }) else {
            return "an entry's revision is above the checkpoint's"
        }
        return nil
    }
}

extension Operation {
    fileprivate var implausibility: String? {
        guard plausible.contains(at), plausible.contains(revision ?? 0), plausible.contains(sequence ?? 0) else {
            return "an operation's number is out of range"
        }
        guard (100...599).contains(status) else { return "status out of range" }
        return nil
    }
}
