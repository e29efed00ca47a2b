import Catalog
import Curl

/// Asks the Hub what registrations need. All input and output; what the answers come to is `RegistrationRules`.
///
/// One a process: the bound of transfers at once is its own.
struct HubLookup: Sendable {
    private let connection: HubConnection

    var hub: HubAddress { connection.hub }

    init(
        hub: HubAddress, token: String?, client: HTTPClient, limits: HubLimits = HubLimits(),
        pauses: HubPauses = .real
    ) {
        connection = HubConnection(
            hub: hub, token: token, client: client, limits: limits, pauses: pauses,
            slots: TransferSlots(count: limits.concurrentTransfers))
    }

    /// Asks the Hub all that a registration needs and decides by the rules; at most 45 s by the usual limits.
    ///
    /// - Parameters:
    ///   - now: milliseconds since 1970
    ///   - progress: called with a step's name for people before each
    /// - Returns: a record whose `generation`, `revision`, and `createdAt` are 0.
    func record(
        for request: RegistrationRequest, now: Int64, progress: @Sendable (String) async -> Void
    ) async throws(Rejection) -> RegistrationRecord {
        let hub = connection.hub
        let reference = try RepositoryReference(request, hub: hub)
        try RegistrationRules.check(request)
        let deadline = ContinuousClock.now + connection.limits.lookupTimeout
        await progress("resolving")
        let repository = try await repository(reference, blobs: true, purpose: .registration, deadline: deadline)
        guard !repository.isDisabled else { throw HubRefusal.disabled }
        let selection = try ArtifactSelection.choose(
            from: repository, filename: reference.filename, quantization: reference.quantization)
        let repo = repository.id ?? reference.repo
        var contents = RepositoryContents()
        var step = ""
        while let needed = RegistrationRules.nextFile(for: request, selection: selection, contents: contents) {
            if needed.kind.step != step { await progress(needed.kind.step) }
            step = needed.kind.step
            let url = hub.file(needed.file.path, of: repo, commit: repository.commit)
            contents.set(needed.kind, try await content(of: needed, at: url, deadline: deadline))
        }
        return try RegistrationRules.record(
            for: request, reference: reference, repository: repository, selection: selection, contents: contents,
            hub: hub, now: now)
    }

    /// Only what changes all the time, and the commit that the revision names now: one request, without the list of
    /// sizes and hashes. It waits for as long as the Hub's rate limit leaves nothing for the background.
    func live(
        repo: String, revision: String, now: Int64
    ) async throws(Rejection) -> (info: HubInfo, commit: String) {
        let reference = try RepositoryReference(
            RegistrationRequest(repo: repo, revision: revision), hub: connection.hub)
        while true {
            try await connection.waitForBackground()
            do throws(Rejection) {
                let repository = try await repository(
                    reference, blobs: false, purpose: .background,
                    deadline: ContinuousClock.now + connection.limits.lookupTimeout)
                guard !repository.isDisabled else { throw HubRefusal.disabled }
                return (repository.info(fetchedAt: now), repository.commit)
            } catch  where error.status == 429 {
                // The connection has noted until when.
                continue
            }
        }
    }

    private func repository(
        _ reference: RepositoryReference, blobs: Bool, purpose: HubQuota.Purpose, deadline: ContinuousClock.Instant
    ) async throws(Rejection) -> HubRepository {
        let asked = connection.hub.information(of: reference.repo, revision: reference.revision, blobs: blobs)
        let answer = try await information(asked, of: reference, purpose, deadline: deadline)
        let repository = try HubRepository(answer: answer.body)
        guard answer.wasRedirected, let id = repository.id else { return repository }
        // A renamed repository is answered for elsewhere, and a redirect need not keep the revision and the query.
        let own = connection.hub.information(of: id, revision: reference.revision, blobs: blobs)
        guard own != answer.url else { return repository }
        let again = try HubRepository(
            answer: try await information(own, of: reference, purpose, deadline: deadline).body)
        guard again.id == nil || again.id == id else {
            throw .hubError("The Hub gives the repository one name after the other.")
        }
        return again
    }

    private func information(
        _ url: String, of reference: RepositoryReference, _ purpose: HubQuota.Purpose,
        deadline: ContinuousClock.Instant
    ) async throws(Rejection) -> HubConnection.Answer {
        try await connection.get(
            url, subject: .repository(reference), purpose: purpose, maximumBytes: connection.limits.maximumAnswerBytes,
            deadline: deadline)
    }

    /// nil for what can be done without, and is refused.
    private func content(
        of needed: RegistrationRules.NeededFile, at url: String, deadline: ContinuousClock.Instant
    ) async throws(Rejection) -> [UInt8]? {
        let limits = connection.limits
        let limit = needed.file.isLFS ? limits.maximumStoredFileBytes : limits.maximumAnswerBytes
        if needed.need != .required, let size = needed.file.sizeBytes, size > Int64(limit) { return nil }
        do throws(Rejection) {
            return try await connection.get(
                url, subject: .file(needed.file.path), maximumBytes: limit, isStored: needed.file.isLFS,
                deadline: deadline
            ).body
        } catch {
            switch needed.need {
            case .required: throw error
            case .replaceable: guard error.isOfFile || error.error.code == "file_not_found" else { throw error }
            case .optional:
                guard error.isOfFile || (400..<500).contains(error.status) && error.status != 429 else { throw error }
            }
            return nil
        }
    }
}

extension RepositoryContents.Kind {
    /// What people are told.
    fileprivate var step: String {
        switch self {
        case .configuration, .processorConfiguration, .modules, .adapterConfiguration: "reading config"
        case .index: "reading index"
        case .tokenizerConfiguration, .chatTemplate, .processorTemplate: "reading tokenizer"
        }
    }
}
