/// The held parts of an endpoint's snapshot, for its record's generation.
public struct EndpointSnapshot: Sendable, Hashable {
    /// Newest row, without its models.
    public var health: SnapshotRow
    /// The tick at which `models` was polled; 0 where no list is held yet.
    public var modelsTick: Int64
    /// Digest of `models`; nil where no list is held yet.
    public var digest: String?
    public var models: [ModelEntry]

    /// `models` is the list that the newest row speaks of.
    ///
    /// Where it is not, a row with models has not come through: the next job must name no base digest, so that the
    /// next row is full.
    public var isInStep: Bool { health.digest == digest }
}

/// A live endpoint: its record, and what its polls said.
public struct EndpointView: Sendable, Hashable {
    public var record: EndpointRecord
    /// nil: pending.
    public var snapshot: EndpointSnapshot?
    public var state: EndpointState { snapshot?.health.state ?? .pending }
}
