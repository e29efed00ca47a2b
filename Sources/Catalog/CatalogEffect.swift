/// What applying a message changed, for those who act on it.
public enum CatalogEffect: Sendable, Hashable {
    /// Something that the merged list is made of changed. At most once a message, and last.
    ///
    /// A `CatalogFollower` that publishes views leaves it out if the list's bytes came out the same.
    case modelsChanged
    /// An endpoint's record was created, changed, or removed.
    case endpointRecordChanged(id: String)
    /// A registration's record was created, changed, or removed.
    case registrationChanged(name: String)
    /// An API key was made or revoked.
    case keyChanged(id: String)
    /// A newer result of a generation on this endpoint counts now.
    case verified(registration: String, endpoint: String)
    /// A newer health or model row of this endpoint counts now.
    case snapshotApplied(id: String)
    /// This state of the operation is the one that counts now.
    case operationChanged(id: String)
    case pollRequested(id: String)
    case endpointSuspect(id: String)
    case endpointAlive(id: String)
    case pollerCutOff(poller: String, isCutOff: Bool)
    /// A higher checkpoint than the one held before is complete and has been applied.
    case checkpoint(CatalogVersion)
    case syncMark(id: String)
    /// The registrar's clock says so now. Only of a message that was read live: the time of an old one is over.
    case registrarClock(at: Int64)
    /// A process lacks something that the stream no longer holds.
    case catalogRequested
}

extension CatalogEffect {
    /// Says something of this moment only.
    var isMomentary: Bool { if case .registrarClock = self { true } else { false } }
}

/// The effects of one message as they come up.
struct EffectLog {
    private var effects: [CatalogEffect] = []
    var modelsChanged = false

    mutating func note(_ effect: CatalogEffect) { effects.append(effect) }

    consuming func finished() -> [CatalogEffect] {
        if modelsChanged { effects.append(.modelsChanged) }
        return effects
    }
}
