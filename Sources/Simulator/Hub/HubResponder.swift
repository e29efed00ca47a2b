import Conventions
import Crypto
import FoundationEssentials
import HTTPTypes
import JSON
import NIOCore

/// Answers under `/hub` as the Hugging Face Hub does.
struct HubResponder: Sendable {
    let hub: Hub

    func respond(to request: Request) async throws -> Response {
        let asked = HubRequest(request)
        let visit = hub.visit(asked)
        if visit.latencyMilliseconds > 0, visit.fault != .slow {
            try await Task.sleep(for: .milliseconds(visit.latencyMilliseconds))
        }
        var response: Response
        if let fault = try await fault(visit, asked, request) {
            response = fault
        } else {
            response = try answer(asked, visit, range: request.headers[.range])
        }
        if case .file = asked.target {
            response.addHubRateLimit(area: "resolvers", quota: 3000, requests: visit.requests)
        } else {
            response.addHubRateLimit(area: "api", quota: 500, requests: visit.requests)
        }
        switch visit.fault {
        case .truncated: response.body = response.body.cutInHalf()
        case .slow:
            let pause = visit.latencyMilliseconds > 0 ? visit.latencyMilliseconds : 200
            response.body = response.body.slowed(pause: .milliseconds(pause))
        default: break
        }
        return response
    }

    /// The answer of a fault that stands before the Hub, whatever was asked for.
    private func fault(
        _ visit: Hub.Visit, _ asked: HubRequest, _ request: Request
    ) async throws -> Response? {
        switch visit.fault {
        case .none, .slow, .truncated: return nil
        case .rateLimited: return .hubRateLimited(visit)
        case .error: return .hubError
        case .unavailable: return .hubUnavailable(visit)
        case .html: return .of(.loginPage)
        case .huge: return .padded(megabytes: 40, start: #"{"padding":""#, end: #"","siblings":[]}"#)
        case .reset: try await request.connection.reset()
        case .away: try await request.connection.close()
        case .hang: try await request.connection.hang(request)
        case .redirectHost: return .hubRedirect(to: "http://hub.invalid\(asked.uri)")
        case .redirectLoopback:
            let port = asked.host.split(separator: ":").dropFirst().first.map { ":\($0)" } ?? ""
            let other = "127.0.0.2\(port)"
            return asked.host == other ? nil : .hubRedirect(to: "http://\(other)\(asked.uri)")
        }
    }

    private func answer(_ asked: HubRequest, _ visit: Hub.Visit, range: String?) throws -> Response {
        guard asked.method == "GET" || asked.isHead, asked.repository != nil else {
            return HubRefusal.notAnAddress.response
        }
        if visit.token == .invalid { return HubRefusal.invalidToken.response }
        guard let repository = visit.repository, !repository.isPrivate || visit.token == .valid else {
            return (visit.token == .valid ? HubRefusal.repositoryNotFound : .missingOrPrivate).response
        }
        let place = repository.renamedTo ?? repository.id
        if place != asked.repository { return .hubRedirect(to: asked.location(repository: place)) }
        switch asked.target {
        case .unknown: return HubRefusal.notAnAddress.response
        case .api(_, let revision): return try metadata(of: repository, revision, blobs: asked.wantsBlobs)
        case .file(_, let revision, let path):
            if repository.isGated, !(repository.isAccessGranted && visit.token == .valid) {
                return HubRefusal.gated(repository: repository.id, hasToken: visit.token == .valid).response
            }
            guard let commit = repository.commit(revision) else {
                return HubRefusal.revisionNotFound(revision).response
            }
            guard let file = commit.file(path) else {
                var response = HubRefusal.entryNotFound.response
                response.headers[.repositoryCommit] = commit.sha
                return response
            }
            return try file.response(range: range, commit: commit.sha)
        }
    }

    private func metadata(of repository: HubRepository, _ revision: String, blobs: Bool) throws -> Response {
        guard let commit = repository.commit(revision) else {
            return HubRefusal.revisionNotFound(revision).response
        }
        let data = repository.answer(commit, blobs: blobs).bytes
        let tag = Insecure.SHA1.hash(data: data).hexadecimal
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/json; charset=utf-8",
                .eTag: "W/\"\(String(data.count, radix: 16))-\(tag)\"",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }
}
