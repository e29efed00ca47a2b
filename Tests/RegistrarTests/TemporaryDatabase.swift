import Catalog
import Foundation
import GRDB

@testable import Registrar

/// A database in a folder of its own, gone with the last reference.
final class TemporaryDatabase: Sendable {
    let folder: URL
    let location: DatabaseLocation

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("registrar-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        location = try DatabaseLocation("sqlite:\(folder.path)/registry.sqlite")
    }

    deinit {
        do {
            try FileManager.default.removeItem(at: folder)
        } catch {
            print("left behind: \(folder.path): \(error)")
        }
    }

    func open(failpoint: @escaping FailpointHandler = { _ in }) throws -> RegistryStore {
        try RegistryStore(location: location, failpoint: failpoint)
    }
}

/// Time of the tests: milliseconds since 1970.
let noon: Int64 = 1_800_000_000_000

/// A UUID that is easy to read.
func uuid(_ number: Int) -> String {
    "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - String(number).count) + String(number)
}

func command(
    _ id: String, _ action: Command.Action, fingerprint: String? = nil, deadline: Int64 = noon + 20_000
) -> Command {
    Command(
        id: id, request: "request-\(id)-\(fingerprint ?? "")", caller: "tests",
        fingerprint: fingerprint ?? "print-\(id)",
        deadline: deadline, action: action)
}

func draft(_ number: Int, name: String? = nil, url: String? = nil, key: String? = nil) -> EndpointDraft {
    EndpointDraft(
        id: uuid(number), name: name ?? "gpu-\(number)", baseURL: url ?? "http://10.0.0.\(number):8000",
        sealedAPIKey: key)
}

func change(_ edit: (inout EndpointChange) -> Void) -> EndpointChange {
    var change = EndpointChange()
    edit(&change)
    return change
}

extension RegistryStore {
    /// Makes the endpoint `draft` by a command of its own.
    func create(_ draft: EndpointDraft) async throws {
        let execution = try await execute(command("create-\(draft.id)", .createEndpoint(draft)), at: noon)
        guard execution.operation.status == 201 else { throw Unexpected(execution: execution) }
    }

    func records() async throws -> [EndpointRecord] {
        try await database.read { try EndpointTable(database: $0).records() }
    }

    func record(_ number: Int) async throws -> EndpointRecord? {
        try await database.read { try EndpointTable(database: $0).record(id: uuid(number)) }
    }

    /// Says that all has been announced.
    func settle() async throws { try await markAnnounced(through: try await state().revision) }
}

struct Unexpected: Error {
    var execution: Execution
}

/// An operation or change in a few words, to compare sequences by.
func words(_ messages: [TracedMessage]) -> [String] { words(messages.map(\.message)) }

func words(_ messages: [CatalogMessage]) -> [String] {
    messages.map { message in
        switch message {
        case .registryChanged(let change):
            "\(change.endpoint.map { "\($0.name)" } ?? "tombstone") \(change.revision)"
        case .operationChanged(let operation): "operation \(operation.id) \(operation.status)"
        case .registryCheckpoint(let part): "checkpoint \(part.incarnation) \(part.revision) \(part.entries.count)"
        default: "\(message)"
        }
    }
}
