import AMQP
import Catalog
import Launch
import Logging

/// Executes deliveries of the commands queue, and says what is to become of each.
struct CommandProcessor: Sendable {
    enum Disposition: Sendable, Hashable {
        case acknowledge
        /// To the dead queue, for a person to look at.
        case reject
    }

    struct Outcome: Sendable {
        /// One for each delivery.
        var dispositions: [Disposition]
        /// Whether a proposal to do the periodic work was among them.
        var isProposed: Bool
    }

    /// The queue's limit is 20 deliveries, after which the broker sets a message aside without a word to the one who
    /// waits for it. From here on the registrar does so itself, with a failed outcome.
    static let deliveryLimit: Int64 = 18

    let announcer: Announcer
    let failpoint: FailpointHandler
    let logger: Logger
    /// Milliseconds since 1970.
    let wallClock: @Sendable () -> Int64

    private var store: RegistryStore { announcer.store }

    /// Executes `deliveries` in their order, then announces all of it at once. Only after this returns may any of
    /// them be acknowledged: what was confirmed is then committed, and everybody has been told.
    func process(_ deliveries: [Delivery]) async throws -> Outcome {
        var outcome = Outcome(dispositions: [], isProposed: false)
        var repeats: [(operation: Operation, trace: TraceContext?)] = []
        var executed = 0
        for delivery in deliveries {
            let reading = DeliveryReading(delivery.message)
            if reading == .housekeeping {
                outcome.isProposed = true
                outcome.dispositions.append(.acknowledge)
                continue
            }
            let (execution, disposition) = try await execute(reading, delivery)
            outcome.dispositions.append(disposition)
            if let execution {
                executed += 1
                // One that is still in work tells its own steps.
                if execution.isRepeat, execution.operation.isFinal {
                    repeats.append((execution.operation, delivery.message.trace))
                }
            }
        }
        guard executed > 0 else { return outcome }
        try await announcer.announce()
        try await announcer.repeatOutcomes(repeats)
        try failpoint(.afterAnnounce)
        return outcome
    }

    private func execute(
        _ reading: DeliveryReading, _ delivery: Delivery
    ) async throws -> (Execution?, Disposition) {
        switch reading {
        case .housekeeping:
            return (nil, .acknowledge)
        case .command(let command) where delivery.deliveryCount >= Self.deliveryLimit:
            logDead(delivery, "delivered too often", command.id)
            return (try await fail(command.identity, because: .undeliverable), .reject)
        case .command(let command):
            return try await execute(command, delivery)
        case .poison(let reason, let identity):
            logDead(delivery, reason, identity?.id)
            guard let identity else { return (nil, .reject) }
            return (try await fail(identity, because: .malformed), .reject)
        }
    }

    private func execute(_ command: Command, _ delivery: Delivery) async throws -> (Execution?, Disposition) {
        do {
            let execution = try await announcer.patience.until("a command") {
                try await store.execute(command, at: wallClock())
            }
            try failpoint(.afterCommit)
            log(execution, command)
            return (execution, .acknowledge)
        } catch let error where !(error is CancellationError) && StoreFailure(error) == .particular {
            logDead(delivery, "\(error)", command.id)
            return (try await fail(command.identity, because: .undeliverable), .reject)
        }
    }

    private func fail(_ identity: DeliveryReading.Identity, because rejection: Rejection) async throws -> Execution {
        try await announcer.patience.until("a failed outcome") {
            try await store.fail(identity, because: rejection, at: wallClock())
        }
    }

    private func log(_ execution: Execution, _ command: Command) {
        var metadata = Logger.Metadata(outcome: execution.operation, of: command.id, command.trace)
        metadata["caller"] = "\(command.caller)"
        metadata["action"] = "\(command.action.name)"
        if execution.isRepeat { metadata["repeat"] = "true" }
        logger.info("A command is executed", metadata: metadata)
    }

    private func logDead(_ delivery: Delivery, _ reason: String, _ command: String?) {
        logger.error(
            "A message is set aside in the dead queue",
            metadata: [
                "reason": "\(reason)", "type": "\(delivery.message.type.prefix(64))",
                "message_id": "\(delivery.message.messageID.prefix(64))", "command": "\(command ?? "unknown")",
                "deliveries": "\(delivery.deliveryCount + 1)", "bytes": "\(delivery.message.body.count)",
            ])
    }
}

extension Logger.Metadata {
    /// What the log says of a command's outcome: only what there is.
    init(outcome: Operation?, of command: String, _ trace: TraceContext?) {
        self = ["command": "\(command)"]
        if let outcome { self["status"] = "\(outcome.status)" }
        if let code = outcome?.error?.code { self["code"] = "\(code)" }
        if let revision = outcome?.revision { self["revision"] = "\(revision)" }
        if let trace { self["trace"] = "\(trace.traceID)" }
    }
}

extension Command {
    fileprivate var identity: DeliveryReading.Identity {
        DeliveryReading.Identity(id: id, fingerprint: storedFingerprint, trace: trace)
    }
}

extension Command.Action {
    /// For the log: without any value of the request.
    fileprivate var name: String {
        switch self {
        case .createEndpoint: "endpoint.create"
        case .updateEndpoint: "endpoint.update"
        case .deleteEndpoint: "endpoint.delete"
        case .registerModel: "model.register"
        case .previewModel: "model.preview"
        case .deleteModel: "model.delete"
        case .refreshModel: "model.refresh"
        case .verifyModel: "model.verify"
        case .createKey: "key.create"
        case .revokeKey: "key.revoke"
        }
    }
}
