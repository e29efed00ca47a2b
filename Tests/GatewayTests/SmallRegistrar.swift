import AMQP
import Catalog
import Synchronization

@testable import Gateway

/// A registrar in miniature behind the sender: one effect for one command id, its outcome announced in the catalog.
final class SmallRegistrar: CommandSender {
    struct State {
        var commands: [Command] = []
        /// Of what was handed over or published, in this order.
        var traces: [TraceContext?] = []
        var published: [CatalogMessage] = []
        var outcomes: [String: (fingerprint: String, operation: Operation)] = [:]
        var revision: Int64 = 100
        var failure: AMQPError?
        var surprise: (any Error)?
        var isSilent = false
        /// Announced at the next command, whatever that is.
        var repeated: Operation?
        var publishing = ConnectionStatus.connected
        var consuming = ConnectionStatus.connected
    }

    private let catalog: HeldCatalog
    private let state = Mutex(State())

    init(_ catalog: HeldCatalog) { self.catalog = catalog }

    var commands: [Command] { state.withLock { $0.commands } }
    var traces: [TraceContext?] { state.withLock { $0.traces } }
    var published: [CatalogMessage] { state.withLock { $0.published } }
    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    var publishing: ConnectionStatus { state.withLock { $0.publishing } }
    var consuming: ConnectionStatus { state.withLock { $0.consuming } }

    func publish(_ message: CatalogMessage, timeout: Duration) async throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        state.withLock { state in
            state.published.append(message)
            state.traces.append(.current)
        }
        catalog.apply([message])
    }

    func send(_ command: Command, timeout: Duration) async throws {
        if let surprise = state.withLock({ $0.surprise }) { throw surprise }
        if let failure = state.withLock({ $0.failure }) { throw failure }
        let messages: [CatalogMessage] = state.withLock { state in
            state.commands.append(command)
            state.traces.append(.current)
            if let repeated = state.repeated.take() { return [.operationChanged(repeated)] }
            return state.isSilent ? [] : execute(command, &state)
        }
        catalog.apply(messages)
    }

    private func execute(_ command: Command, _ state: inout State) -> [CatalogMessage] {
        if let known = state.outcomes[command.id] {
            if known.fingerprint == command.fingerprint { return [.operationChanged(known.operation)] }
            let error = APIError(
                type: "invalid_request_error", code: "idempotency_key_reused", message: "used for another request")
            return [.operationChanged(operation(command.request, .failed, 422, error: error, &state))]
        }
        var (operation, messages) = outcome(command, &state)
        operation.fingerprint = command.fingerprint
        state.outcomes[command.id] = (command.fingerprint, operation)
        return messages + [.operationChanged(operation)]
    }

    private func outcome(_ command: Command, _ state: inout State) -> (Operation, [CatalogMessage]) {
        switch command.action {
        case .createEndpoint, .updateEndpoint, .deleteEndpoint:
            let (operation, change) = endpointOutcome(command, &state)
            return (operation, change.map { [.registryChanged($0)] } ?? [])
        case .registerModel(let request): return register(request, command.id, &state)
        case .previewModel(let request):
            var previewed = operation(command.id, .succeeded, 200, result: request.repo.lowercased(), &state)
            previewed.preview = RegistrationPreview(Registered.record(request.repo, revision: 9))
            return (previewed, [])
        case .deleteModel(let name):
            guard catalog.registration(name) != nil else { return unregistered(command.id, &state) }
            let gone = operation(command.id, .succeeded, 204, result: name, &state)
            return (
                gone, [.registryChanged(RegistryChange(tombstoneOf: .registration, id: name, revision: state.revision))]
            )
        case .refreshModel(let name, let isApplied): return refresh(name, isApplied, command.id, &state)
        case .verifyModel(let name): return verify(name, command.id, &state)
        case .createKey(let draft):
            let made = operation(command.id, .succeeded, 201, result: draft.id, &state)
            let record = KeyRecord(
                id: draft.id, name: draft.name, digest: draft.digest, scopes: draft.scopes, models: draft.models,
                expiresAt: draft.expiresAt, revision: state.revision, createdAt: 1_800_000_000)
            return (made, [.registryChanged(RegistryChange(record))])
        case .revokeKey(let id):
            guard catalog.read({ $0.key(id: id) }) != nil else {
                let error = APIError(type: "not_found_error", code: "key_not_found", message: "no such key")
                return (operation(command.id, .failed, 404, error: error, &state), [])
            }
            let gone = operation(command.id, .succeeded, 204, &state)
            return (gone, [.registryChanged(RegistryChange(tombstoneOf: .key, id: id, revision: state.revision))])
        }
    }

    private func endpointOutcome(_ command: Command, _ state: inout State) -> (Operation, RegistryChange?) {
        switch command.action {
        case .createEndpoint(let draft):
            guard catalog.endpoint(draft.name) == nil else {
                let error = APIError(type: "conflict_error", code: "name_taken", message: "taken", param: "name")
                return (operation(command.id, .failed, 409, error: error, &state), nil)
            }
            var record = EndpointRecord(
                id: draft.id, name: draft.name, baseURL: draft.baseURL, kind: draft.kind, labels: draft.labels,
                pollIntervalSeconds: draft.pollIntervalSeconds, maxConcurrency: draft.maxConcurrency,
                sealedAPIKey: draft.sealedAPIKey, generation: 0, revision: 0, createdAt: 1_800_000_000)
            return (operation(command.id, .succeeded, 201, result: draft.id, &state), put(&record, state.revision))
        case .updateEndpoint(let id, let change):
            guard var record = catalog.endpoint(id)?.record else { return (missing(command.id, &state), nil) }
            if let name = change.name { record.name = name }
            if let labels = change.labels { record.labels = labels }
            if let draining = change.draining { record.draining = draining }
            switch change.pollIntervalSeconds {
            case .set(let seconds): record.pollIntervalSeconds = seconds
            case .clear: record.pollIntervalSeconds = nil
            case nil: break
            }
            return (operation(command.id, .succeeded, 200, result: id, &state), put(&record, state.revision))
        case .deleteEndpoint(let id):
            guard catalog.endpoint(id) != nil else { return (missing(command.id, &state), nil) }
            let gone = operation(command.id, .succeeded, 204, result: id, &state)
            return (gone, RegistryChange(tombstoneOf: .endpoint, id: id, revision: state.revision))
        default: return (missing(command.id, &state), nil)
        }
    }

    private func put(_ record: inout EndpointRecord, _ revision: Int64) -> RegistryChange {
        if record.generation == 0 { record.generation = revision }
        record.revision = revision
        return RegistryChange(record)
    }

    private func missing(_ id: String, _ state: inout State) -> Operation {
        let error = APIError(type: "not_found_error", code: "endpoint_not_found", message: "no such endpoint")
        return operation(id, .failed, 404, error: error, &state)
    }

    private func operation(
        _ id: String, _ outcome: Operation.State, _ status: Int, result: String? = nil, error: APIError? = nil,
        retryAfter: Int? = nil, _ state: inout State
    ) -> Operation {
        state.revision += 1
        return Operation(
            id: id, state: outcome, revision: state.revision, status: status, result: result, error: error,
            retryAfter: retryAfter, at: 1_800_000_000_000 + state.revision)
    }
}

extension SmallRegistrar {
    /// `busy/…` is what the Hub has no time for.
    private func register(
        _ request: RegistrationRequest, _ id: String, _ state: inout State
    ) -> (Operation, [CatalogMessage]) {
        if request.repo.hasPrefix("busy/") {
            let error = APIError(type: "rate_limit_error", code: "hub_error", message: "the Hub is busy")
            return (operation(id, .failed, 429, error: error, retryAfter: 55, &state), [])
        }
        let name = request.repo.lowercased()
        guard catalog.registration(name) == nil else {
            let error = APIError(type: "conflict_error", code: "already_registered", message: "it is", param: "repo")
            return (operation(id, .failed, 409, error: error, &state), [])
        }
        let done = operation(id, .succeeded, 201, result: name, &state)
        var record = Registered.record(request.repo, revision: state.revision)
        record.displayName = request.displayName
        record.chatTemplate = request.chatTemplate
        return (done, [.registryChanged(RegistryChange(record))])
    }

    private func refresh(
        _ name: String, _ isApplied: Bool, _ id: String, _ state: inout State
    ) -> (Operation, [CatalogMessage]) {
        guard var record = catalog.registration(name)?.record else { return unregistered(id, &state) }
        let done = operation(id, .succeeded, 200, result: name, &state)
        let commit = String(repeating: "b", count: 40)
        record.revision = state.revision
        if isApplied {
            record.commit = commit
            record.generation = state.revision
        } else {
            record.drift = RepositoryDrift(
                commit: commit, detectedAt: 1_800_000_000_000, changes: [.init(path: "a.gguf", change: .changed)])
        }
        return (done, [.registryChanged(RegistryChange(record))])
    }

    private func verify(_ name: String, _ id: String, _ state: inout State) -> (Operation, [CatalogMessage]) {
        guard let view = catalog.registration(name) else { return unregistered(id, &state) }
        let done = operation(id, .succeeded, 200, result: name, &state)
        let number = state.revision
        let results = view.serving.map { endpoint in
            VerifyResult(
                registration: name, number: number, endpoint: endpoint.endpoint,
                generation: catalog.endpoint(endpoint.endpoint)?.record.generation ?? 0, model: endpoint.model,
                outcome: .ok,
                tokens: 2, latencyMilliseconds: 40, text: "Hello", by: "p1", at: 1_800_000_000_000)
        }
        return (done, results.map { .verifyResult($0) })
    }

    private func unregistered(_ id: String, _ state: inout State) -> (Operation, [CatalogMessage]) {
        let error = APIError(type: "not_found_error", code: "model_not_registered", message: "no such model")
        return (operation(id, .failed, 404, error: error, &state), [])
    }
}

extension HeldCatalog {
    func registration(_ name: String) -> RegistrationView? { read { $0.registration(named: name) } }
}
