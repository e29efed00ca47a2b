import Catalog
import Synchronization

@testable import Registrar

/// A Hub in memory: knows repositories by their lower-case names, and can be held up.
final class FakeHub: HubSource {
    struct State {
        var commits: [String: String] = [:]
        var rejections: [String: Rejection] = [:]
        var asked: [String] = []
        /// Questions about these are not answered until `release`.
        var held: Set<String> = []
        var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]
    }

    let state = Mutex(State())

    init(_ commits: [String: String] = [:]) { state.withLock { $0.commits = commits } }

    func edit(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }
    var asked: [String] { state.withLock { $0.asked } }

    func release(_ name: String) {
        let waiting = state.withLock { state in
            state.held.remove(name)
            return state.waiting.removeValue(forKey: name) ?? []
        }
        for continuation in waiting { continuation.resume() }
    }

    func name(of request: RegistrationRequest) -> String? { request.repo.isEmpty ? nil : request.repo.lowercased() }

    func record(
        for request: RegistrationRequest, now: Int64, progress: @Sendable (String) async -> Void
    ) async throws(Rejection) -> RegistrationRecord {
        await progress("resolving")
        let name = request.repo.lowercased()
        let commit = try await commit(of: name)
        return registration(request.repo, commit: commit, now: now)
    }

    func live(repo: String, revision: String, now: Int64) async throws(Rejection) -> (info: HubInfo, commit: String) {
        let commit = try await commit(of: repo.lowercased())
        return (HubInfo(downloads: 7, likes: 3, lastModified: nil, fetchedAt: now), commit)
    }

    private func commit(of name: String) async throws(Rejection) -> String {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isHeld = state.withLock { state in
                    state.asked.append(name)
                    guard state.held.contains(name) else { return false }
                    state.waiting[name, default: []].append(continuation)
                    return true
                }
                if !isHeld { continuation.resume() }
            }
        } onCancel: {
            release(name)
        }
        let (commit, rejection) = state.withLock { ($0.commits[name], $0.rejections[name]) }
        if let rejection { throw rejection }
        guard let commit else {
            throw Rejection(
                status: 404, APIError(type: "not_found_error", code: "repository_not_found", message: "no such"))
        }
        return commit
    }
}

func registration(_ repo: String, commit: String, now: Int64 = noon) -> RegistrationRecord {
    let file = ManifestFile(
        name: "m-Q4_0.gguf", path: "m-Q4_0.gguf", role: .weights, sizeBytes: 4, sha256: nil,
        url: "http://hub/\(commit)", priority: 0, runtimes: ["llama_cpp"], isOptional: false)
    let manifest = Manifest(
        name: repo.lowercased(), repo: repo, commit: commit, format: .gguf, quantization: "Q4_0", sizeBytes: 4,
        files: [file], createdAt: "2027-01-15T08:00:00Z", digest: "sha256:\(commit)")
    return RegistrationRecord(
        name: repo.lowercased(), repo: repo, requestedRevision: "main", commit: commit, format: .gguf,
        quantization: "Q4_0", sizeBytes: 4, requiredMemoryBytes: 6, manifest: manifest,
        hub: HubInfo(downloads: 1, likes: 1, lastModified: nil, fetchedAt: now), generation: 0, revision: 0,
        createdAt: 0)
}
