import AMQP
import Catalog
import Logging
import ServiceLifecycle

/// Takes writes as commands to the registrar and waits for what becomes of them in the catalog stream.
///
/// When the outcome is here, so is the change: the answer that is made from it reads its own write.
struct WriteCoordinator: Sendable {
    let catalog: any CatalogSource
    let sender: any CommandSender
    let limits: GatewayLimits
    let time: RegistrarTime

    enum Outcome: Sendable, Hashable {
        /// Final: succeeded, failed, or expired.
        case finished(Operation)
        /// Handed over; the operation with this id will say.
        case accepted(operation: String)
    }

    /// Sends the command and waits for its outcome, not longer than `limits.outcome`.
    ///
    /// Throws 503 `broker_unavailable` if it was certainly not handed over, 503 `outcome_unknown` if it may have been.
    func perform(_ intent: WriteIntent, _ action: Command.Action, logger: Logger) async throws -> Outcome {
        let start = ContinuousClock.now
        // Without a broker the client is told so at once.
        let isConnected = sender.publishing == .connected
        let started = await time.now(waiting: isConnected ? limits.registrarClock : .zero)
        let command = Command(
            id: intent.commandID, request: WriteIntent.randomID(), caller: intent.caller.name,
            fingerprint: intent.fingerprint, otherFingerprints: intent.otherFingerprints,
            deadline: started + deadline(of: action).wholeMilliseconds, action: action)
        let earlier = catalog.read { Self.own(of: command, in: $0) }
        try await handOver(command)
        let left = limits.outcome - start.duration(to: .now)
        if !intent.respondsAsync, let operation = await outcome(of: command, earlier: earlier, within: left) {
            return .finished(operation)
        }
        await announcePending(command, logger: logger)
        return .accepted(operation: command.id)
    }

    private func deadline(of action: Command.Action) -> Duration {
        switch action {
        case .createEndpoint, .updateEndpoint, .deleteEndpoint, .deleteModel, .createKey, .revokeKey: limits.outcome
        case .registerModel, .previewModel, .refreshModel, .verifyModel: limits.longWork
        }
    }

    private func handOver(_ command: Command) async throws {
        do {
            try await sender.send(command, timeout: limits.confirm)
        } catch let error as AMQPError {
            throw Self.failure(for: error.code)
        }
    }

    /// Nothing was queued in the first cases; in all others it may have been.
    static func failure(for code: AMQPError.Code) -> HTTPFailure {
        switch code {
        case .notConnected, .blocked, .stopped, .returned, .nacked, .configuration:
            .unavailable(
                "broker_unavailable", "The change could not be handed over and was not made. Try again.", retryAfter: 2)
        default:
            .unavailable(
                "outcome_unknown",
                "The change may or may not be made. Send it again with the same Idempotency-Key to find out.",
                retryAfter: 2)
        }
    }

    private static func final(_ id: String, in catalog: borrowing Catalog) -> Operation? {
        catalog.operation(id: id).flatMap { $0.state == .pending ? nil : $0 }
    }

    /// The outcome under the command's id. nil if that is the outcome of another request with the same key: the registrar
    /// may announce it at any time, for the client that made that request.
    private static func own(of command: Command, in catalog: borrowing Catalog) -> Operation? {
        guard let operation = final(command.id, in: catalog) else { return nil }
        return [nil, command.fingerprint].contains(operation.fingerprint) ? operation : nil
    }

    /// The outcome of the command, or the report about this very request.
    ///
    /// If the catalog already has an outcome for this id, the client is repeating a request. The registrar then announces
    /// the same outcome again, which cannot be observed as a change. If instead the `Idempotency-Key` was reused for
    /// another request, the registrar reports 422 under the *request's* id. So wait `limits.repeated` for that report,
    /// then answer with the stored outcome.
    private func outcome(of command: Command, earlier: Operation?, within left: Duration) async -> Operation? {
        let timeout = earlier == nil ? left : limits.repeated
        let catalog = catalog
        // At a stop the client is told where to ask, while there is still time to.
        let seen = await cancelWhenGracefulShutdown {
            await catalog.wait(timeout: timeout) { catalog -> Operation? in
                if let answer = Self.final(command.request, in: catalog) { return answer }
                let own = Self.own(of: command, in: catalog)
                return own == earlier ? nil : own
            }
        }
        return seen ?? earlier
    }

    /// Lets every gateway know of a write that was answered with 202 before the registrar has said anything of it.
    ///
    /// A final state of the same operation, also one that was announced before, outweighs this one.
    private func announcePending(_ command: Command, logger: Logger) async {
        let (known, revision) = catalog.read { ($0.operation(id: command.id), $0.highestRevision) }
        guard known == nil else { return }
        let operation = Operation(id: command.id, state: .pending, status: 202, sequence: revision, at: time.now)
        do {
            try await sender.publish(.operationChanged(operation), timeout: limits.confirm)
        } catch {
            logger.warning(
                "A pending operation could not be announced",
                metadata: [LogKey.operation: "\(command.id)", LogKey.error: "\(error)"])
            return
        }
        _ = await catalog.wait(timeout: .seconds(1)) { $0.operation(id: command.id) }
    }
}
