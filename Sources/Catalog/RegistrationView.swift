/// An endpoint that serves a registered model, and under which id.
public struct ServingEndpoint: Sendable, Hashable {
    /// Id of the endpoint.
    public var endpoint: String
    public var name: String
    public var model: ModelID
    /// Online or degraded.
    public var state: EndpointState

    public init(endpoint: String, name: String, model: ModelID, state: EndpointState) {
        self.endpoint = endpoint
        self.name = name
        self.model = model
        self.state = state
    }
}

/// A registered model, and what the fleet makes of it.
public struct RegistrationView: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable, Codable {
        /// No online endpoint has it.
        case registered
        /// At least one online endpoint serves it.
        case ready
    }

    public var record: RegistrationRecord
    /// Endpoints that are online or degraded and list it, by name; one that lists it under two ids is there twice.
    public var serving: [ServingEndpoint]
    /// The newest result of each live endpoint, by the endpoint's id.
    public var verifications: [VerifyResult]
    /// The most GPU memory that one live endpoint has reported, in bytes; nil where none reports any.
    public var greatestMemoryBytes: Int64?

    public init(
        record: RegistrationRecord, serving: [ServingEndpoint] = [], verifications: [VerifyResult] = [],
        greatestMemoryBytes: Int64? = nil
    ) {
        self.record = record
        self.serving = serving
        self.verifications = verifications
        self.greatestMemoryBytes = greatestMemoryBytes
    }

    public var status: Status { serving.contains { $0.state == .online } ? .ready : .registered }

    /// The record's own warnings, and those that depend on the fleet's memory.
    public var warnings: [RegistrationWarning] {
        record.warnings
            + RegistrationWarning.ofMemory(required: record.requiredMemoryBytes, greatest: greatestMemoryBytes)
    }
}

extension RegistrationWarning {
    /// What the fleet's memory is to a model; empty where nobody knows how much the model needs.
    ///
    /// - Parameter greatest: the most that one endpoint reports
    public static func ofMemory(required: Int64?, greatest: Int64?) -> [RegistrationWarning] {
        guard let required else { return [] }
        guard let greatest else {
            return [
                RegistrationWarning(
                    code: "memory_unknown",
                    message: "No endpoint reports its GPU memory, so nobody can say whether \(text(required)) fit.")
            ]
        }
        guard required > greatest else { return [] }
        return [
            RegistrationWarning(
                code: "insufficient_memory",
                message:
                    "About \(text(required)) of memory are needed; the most that an endpoint reports is \(text(greatest))."
            )
        ]
    }

    /// `16.4 GiB`.
    private static func text(_ bytes: Int64) -> String {
        let tenths = ((bytes >> 10) * 10) >> 20
        return "\(tenths / 10).\(tenths % 10) GiB"
    }
}

/// An endpoint, and the GPU memory that it reports.
public struct EndpointMemory: Sendable, Hashable {
    public var endpoint: String
    public var name: String
    /// nil where it reports none.
    public var bytes: Int64?
}
