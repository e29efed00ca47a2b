import HTTPTypes
import JSON
import Synchronization

/// `/control/hub`: how tests fill the Hub, let it fail, and see what was asked of it.
struct HubControlRoutes: Sendable {
    let hub: Hub

    /// - Parameter parts: of the path below `/control/hub`
    func respond(to request: Request, _ parts: some Collection<String>) async throws -> Response {
        if parts.isEmpty { return try await respond(to: request) }
        // `org/name`, or the bare name of a repository that has no organization.
        guard parts.first == "repositories", (2...3).contains(parts.count) else { throw HTTPFailure(.notFound) }
        return try await respond(to: request, repository: parts.dropFirst().joined(separator: "/"))
    }

    private func respond(to request: Request) async throws -> Response {
        switch request.method {
        case .get: return try ControlRoutes.json(HubReport(of: hub))
        case .patch:
            let change = try await ControlRoutes.decode(HubBehaviourChange.self, request)
            hub.state.withLock { change.apply(to: &$0.behaviour) }
            return try ControlRoutes.json(HubReport(of: hub).behaviour)
        default: throw HTTPFailure(.notFound)
        }
    }

    private func respond(to request: Request, repository id: String) async throws -> Response {
        switch request.method {
        case .get: return try Self.report(hub, id)
        case .put:
            let content = try await ControlRoutes.decode(HubRepositoryBody.self, request)
            try Self.explained { try hub.put(id, content) }
            return try Self.report(hub, id)
        case .patch:
            let change = try await ControlRoutes.decode(HubRepositoryChange.self, request)
            guard try Self.explained({ try hub.update(id, change.apply(to:)) }) != nil else {
                throw HTTPFailure(.notFound)
            }
            return try Self.report(hub, id)
        case .delete:
            guard hub.remove(id) else { throw HTTPFailure(.notFound) }
            return Response(status: .noContent)
        default: throw HTTPFailure(.notFound)
        }
    }

    private static func explained<Value>(_ work: () throws -> Value) throws -> Value {
        do {
            return try work()
        } catch let error as HubError {
            throw HTTPFailure(.badRequest, message: error.description)
        }
    }

    private static func report(_ hub: Hub, _ id: String) throws -> Response {
        guard let repository = hub.repository(id) else { throw HTTPFailure(.notFound) }
        guard let report = HubReport(of: hub).repositories[repository.id] else { throw HTTPFailure(.notFound) }
        return try ControlRoutes.json(report)
    }
}

/// The body of `PATCH /control/hub/repositories/{org}/{name}`: changes that make no commit.
private struct HubRepositoryChange: Sendable, Decodable {
    /// Laid over what the API says: `{"downloads":7}`.
    var info: [String: JSONValue]?
    var gated: JSONValue?
    var accessGranted: Bool?
    var isPrivate: Bool?
    /// Null takes the new name back.
    var renamedTo: JSONValue?
    var revisions: [String: String]?
    var behaviour: HubBehaviourChange?

    enum CodingKeys: String, CodingKey {
        case info, gated, revisions, behaviour
        case accessGranted = "access_granted"
        case isPrivate = "private"
        case renamedTo = "renamed_to"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        info = try fields.decodeIfPresent([String: JSONValue].self, forKey: .info)
        gated = try fields.decodeIfPresent(JSONValue.self, forKey: .gated)
        accessGranted = try fields.decodeIfPresent(Bool.self, forKey: .accessGranted)
        isPrivate = try fields.decodeIfPresent(Bool.self, forKey: .isPrivate)
        if fields.contains(.renamedTo) { renamedTo = try fields.decode(JSONValue.self, forKey: .renamedTo) }
        revisions = try fields.decodeIfPresent([String: String].self, forKey: .revisions)
        behaviour = try fields.decodeIfPresent(HubBehaviourChange.self, forKey: .behaviour)
    }

    func apply(to repository: inout HubRepository) throws {
        repository.overrides.merge(info ?? [:]) { _, new in new }
        if let gated { repository.gated = gated }
        if let accessGranted { repository.isAccessGranted = accessGranted }
        if let isPrivate { repository.isPrivate = isPrivate }
        if let renamedTo { repository.renamedTo = renamedTo.string }
        behaviour?.apply(to: &repository.behaviour)
        for (name, sha) in revisions ?? [:] {
            guard repository.point(name, at: sha) else {
                throw HubError(description: "revision \(name): there is no commit \(sha)")
            }
        }
    }
}
