/// A message of the catalog stream. The AMQP property `type` says which; the body is the payload as JSON.
public enum CatalogMessage: Sendable, Hashable {
    case snapshotBatch(SnapshotBatch)
    case registryChanged(RegistryChange)
    case registryCheckpoint(CheckpointPart)
    case operationChanged(Operation)
    case pollRequested(PollRequest)
    case endpointSuspect(PollRequest)
    case endpointAlive(EndpointSighting)
    case pollerCutOff(PollerCutOff)
    case verifyResult(VerifyResult)
    case hubChanged(HubChange)
    case registrarClock(RegistrarClock)
    /// Written by releases before images.
    case refresh(Refresh)
    case syncMark(SyncMark)
    case catalogRequested(CatalogRequest)
}

/// Kinds of durable records.
public struct RecordKind: OpenName, Comparable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let endpoint = Self(rawValue: "endpoint")
    public static let registration = Self(rawValue: "registration")
    public static let key = Self(rawValue: "key")

    public static let allCases = [Self.endpoint, .registration, .key]

    public static func < (left: RecordKind, right: RecordKind) -> Bool { left.rawValue < right.rawValue }
}

/// One committed change of the registry: the record as it is now, or its tombstone, which has none.
public struct RegistryChange: Sendable, Hashable, Codable {
    public var revision: Int64
    public var kind: RecordKind
    /// Of a registration: its name.
    public var id: String
    /// Where `kind` is `endpoint`.
    public var endpoint: EndpointRecord?
    /// Where `kind` is `registration`.
    public var registration: RegistrationRecord?
    /// Where `kind` is `key`.
    public var key: KeyRecord?

    public init(_ record: EndpointRecord) {
        self.init(tombstoneOf: .endpoint, id: record.id, revision: record.revision)
        endpoint = record
    }

    public init(_ record: RegistrationRecord) {
        self.init(tombstoneOf: .registration, id: record.name, revision: record.revision)
        registration = record
    }

    public init(_ record: KeyRecord) {
        self.init(tombstoneOf: .key, id: record.id, revision: record.revision)
        key = record
    }

    public init(tombstoneOf kind: RecordKind, id: String, revision: Int64) {
        self.revision = revision
        self.kind = kind
        self.id = id
    }
}

/// One live record in a checkpoint.
public struct CheckpointEntry: Sendable, Hashable, Codable, Comparable {
    public var kind: RecordKind
    public var id: String
    public var revision: Int64

    public init(kind: RecordKind, id: String, revision: Int64) {
        self.kind = kind
        self.id = id
        self.revision = revision
    }

    public static func < (left: CheckpointEntry, right: CheckpointEntry) -> Bool {
        (left.kind, left.id) < (right.kind, right.id)
    }
}

/// A part of a checkpoint. The parts of one (incarnation, revision) are always cut alike, see `Checkpoint.parts`.
public struct CheckpointPart: Sendable, Hashable, Codable {
    /// UUID of the registry.
    public var registry: String
    public var incarnation: Int64
    public var revision: Int64
    /// From 0.
    public var part: Int
    public var parts: Int
    public var entries: [CheckpointEntry]
    /// Milliseconds since 1970 by the registrar's clock when the checkpoint was made. Kept in a `refresh`.
    public var madeAt: Int64

    public init(
        registry: String, incarnation: Int64, revision: Int64, part: Int, parts: Int, entries: [CheckpointEntry],
        madeAt: Int64
    ) {
        self.registry = registry
        self.incarnation = incarnation
        self.revision = revision
        self.part = part
        self.parts = parts
        self.entries = entries
        self.madeAt = madeAt
    }

    enum CodingKeys: String, CodingKey {
        case registry, incarnation, revision, part, parts, entries
        case madeAt = "made_at"
    }
}

/// What became of a command.
public struct Operation: Sendable, Hashable, Codable {
    public struct State: OpenName {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        public static let pending = Self(rawValue: "pending")
        public static let succeeded = Self(rawValue: "succeeded")
        public static let failed = Self(rawValue: "failed")
        public static let expired = Self(rawValue: "expired")

        public static let allCases = [Self.pending, .succeeded, .failed, .expired]
    }

    /// The command's id.
    public var id: String
    public var state: State
    public var step: String?
    /// The registry's revision of the change; nil where nothing changed. An announcement is made once it is committed.
    public var revision: Int64?
    /// HTTP status that a gateway answers with.
    public var status: Int
    /// The id of the record that was made or changed.
    public var result: String?
    public var error: APIError?
    /// The record that a registration would have made. Only a dry run has it.
    public var preview: RegistrationPreview?
    /// Seconds after which it may be tried again, where somebody said so.
    public var retryAfter: Int?
    /// That of the command that it answers: another request under the same id has another.
    public var fingerprint: String?
    /// The registry's revision when this was said: by it an operation is forgotten. nil: from an earlier version.
    public var sequence: Int64?
    /// Milliseconds since 1970, by the sender's clock. For people: what becomes of an operation does not depend on it.
    public var at: Int64

    public init(
        id: String, state: State, step: String? = nil, revision: Int64? = nil, status: Int, result: String? = nil,
        error: APIError? = nil, preview: RegistrationPreview? = nil, retryAfter: Int? = nil,
        fingerprint: String? = nil, sequence: Int64? = nil, at: Int64
    ) {
        self.id = id
        self.state = state
        self.step = step
        self.revision = revision
        self.status = status
        self.result = result
        self.error = error
        self.preview = preview
        self.retryAfter = retryAfter
        self.fingerprint = fingerprint
        self.sequence = sequence
        self.at = at
    }

    enum CodingKeys: String, CodingKey {
        case id, state, step, revision, status, result, error, preview, fingerprint, sequence, at
        case retryAfter = "retry_after"
    }
}

/// An error as clients see it, in the shape that OpenAI's clients expect.
public struct APIError: Error, Sendable, Hashable, Codable {
    public var type: String
    public var code: String
    /// What was wrong and what to do; never a secret.
    public var message: String
    public var param: String?

    public init(type: String, code: String, message: String, param: String? = nil) {
        self.type = type
        self.code = code
        self.message = message
        self.param = param
    }
}

public struct PollRequest: Sendable, Hashable, Codable {
    public var endpoint: String
    public var reason: String

    public init(endpoint: String, reason: String) {
        self.endpoint = endpoint
        self.reason = reason
    }
}

/// A request at a gateway is getting bytes from an endpoint whose polls get no answer in time: it is busy, and not dead.
public struct EndpointSighting: Sendable, Hashable, Codable {
    public var endpoint: String

    public init(endpoint: String) { self.endpoint = endpoint }
}

/// A poller takes itself for cut off from the endpoints, or does no longer.
public struct PollerCutOff: Sendable, Hashable, Codable {
    public var poller: String
    public var isCutOff: Bool

    public init(poller: String, isCutOff: Bool) {
        self.poller = poller
        self.isCutOff = isCutOff
    }

    enum CodingKeys: String, CodingKey {
        case poller
        case isCutOff = "cut_off"
    }
}

/// A copy of everything that the catalog holds. Releases before images sent it from time to time; this release only reads it.
public struct Refresh: Sendable, Hashable, Codable {
    public var records: [RegistryChange]
    public var checkpoint: [CheckpointPart]
    /// In full: `models` is always given where a list is held.
    public var snapshots: [SnapshotRow]
    public var operations: [Operation]
    public var verifications: [VerifyResult]
    /// nil also from an earlier version.
    public var hubs: [HubChange]?

    public init(
        records: [RegistryChange] = [], checkpoint: [CheckpointPart] = [], snapshots: [SnapshotRow] = [],
        operations: [Operation] = [], verifications: [VerifyResult] = [], hubs: [HubChange]? = nil
    ) {
        self.records = records
        self.checkpoint = checkpoint
        self.snapshots = snapshots
        self.operations = operations
        self.verifications = verifications
        self.hubs = hubs
    }
}

/// New live numbers of a registration. A message of its own, because they change often and the record is long.
public struct HubChange: Sendable, Hashable, Codable {
    /// Name of the registration.
    public var registration: String
    /// The registry's revision of this change. A record of a higher revision has its own numbers.
    public var revision: Int64
    public var hub: HubInfo

    public init(registration: String, revision: Int64, hub: HubInfo) {
        self.registration = registration
        self.revision = revision
        self.hub = hub
    }
}

/// The active registrar's clock, every few seconds. It judges the deadlines of commands, so gateways date them by it.
public struct RegistrarClock: Sendable, Hashable, Codable {
    /// Milliseconds since 1970.
    public var at: Int64

    public init(at: Int64) { self.at = at }
}

/// A barrier: whoever reads back its own mark has read all that came before it.
public struct SyncMark: Sendable, Hashable, Codable {
    public var id: String

    public init(id: String) { self.id = id }
}

/// A process that starts has no image that it can use, and the stream does not hold everything any more: the active
/// scheduler and the registrar say everything that they hold once more.
public struct CatalogRequest: Sendable, Hashable, Codable {
    /// Says to people what is missing.
    public var reason: String

    public init(reason: String) { self.reason = reason }
}
