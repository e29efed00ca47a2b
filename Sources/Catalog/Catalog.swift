/// Skeleton: to be completed by the Catalog implementation.
public struct CatalogVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var incarnation: Int64
    public var offset: Int64
    public init(incarnation: Int64, offset: Int64) {
        self.incarnation = incarnation
        self.offset = offset
    }
    /// Parses `<incarnation>-<offset>`.
    public init?(_ text: String) { fatalError() }
    public var description: String { "\(incarnation)-\(offset)" }
    public static func < (left: CatalogVersion, right: CatalogVersion) -> Bool {
        (left.incarnation, left.offset) < (right.incarnation, right.offset)
    }
}

/// What applying a message changed, for those who act on it.
public enum CatalogEffect: Sendable, Hashable {
    /// The merged list has other bytes now.
    case modelsChanged
    /// An endpoint's record was created, changed, or removed.
    case endpointRecordChanged(id: String)
    /// A newer health or model row of this endpoint counts now.
    case snapshotApplied(id: String)
    case operationChanged(id: String)
    case pollRequested(id: String)
    case endpointSuspect(id: String)
    case checkpoint(CatalogVersion)
    case syncMark(id: String)
}

/// The held parts of an endpoint's snapshot, for its record's generation.
public struct EndpointSnapshot: Sendable, Hashable {
    /// Newest row, without its models.
    public var health: SnapshotRow
    public var modelsTick: Int64
    /// Digest of `models`; nil where no list is held yet.
    public var digest: String?
    public var models: [ModelEntry]
}

public struct EndpointView: Sendable, Hashable {
    public var record: EndpointRecord
    /// nil: pending.
    public var snapshot: EndpointSnapshot?
    public var state: EndpointState { snapshot?.health.state ?? .pending }
}

/// `/v1/models`, encoded.
public struct ModelList: Sendable, Hashable {
    public var bytes: [UInt8]
    /// Strong, quoted, from the bytes alone.
    public var etag: String
}

/// Registry + latest snapshots, merged: a pure function of the messages applied.
public struct Catalog: Sendable {
    public init() {}

    public mutating func apply(_ message: CatalogMessage, at offset: Int64) -> [CatalogEffect] { fatalError() }

    /// nil before the first checkpoint.
    public var version: CatalogVersion? { fatalError() }
    /// The registry's UUID, from the checkpoint held.
    public var registry: String? { fatalError() }
    /// The highest revision seen in any record, tombstone, operation, or checkpoint.
    public var highestRevision: Int64 { fatalError() }
    /// The highest tick seen in any row.
    public var highestTick: Int64 { fatalError() }

    /// Live endpoints, sorted by name.
    public var endpoints: [EndpointView] { fatalError() }
    public func endpoint(id: String) -> EndpointView? { fatalError() }
    public func endpoint(named name: String) -> EndpointView? { fatalError() }
    public func operation(id: String) -> Operation? { fatalError() }

    /// Encoded once per change of the merged list.
    public var modelList: ModelList { mutating get { fatalError() } }
    /// One entry of the list, encoded as in it.
    public func modelEntry(_ id: ModelID) -> [UInt8]? { fatalError() }

    /// What a refresh says of this: see the design, "Nothing expires from the log while it is alive".
    public func refreshMessages() -> [Refresh] { fatalError() }
}
