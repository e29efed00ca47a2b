import Catalog
import FoundationEssentials
import GRDB

/// What became of one entry of `ROLLCALL_ENDPOINTS`.
enum ConfiguredResult: Sendable, Hashable {
    case created(name: String)
    /// An endpoint has this name, and another base URL than the entry says: it is left as it is.
    case differs(name: String, baseURL: String)
    /// It cannot be made now; tried again after the next change of the registry.
    case refused(name: String, code: String)
}

extension RegistryStore {
    /// Makes the endpoints of `entries` whose names are missing, each in an ordinary transaction.
    ///
    /// An entry is applied once: an endpoint that was then deleted by a command stays deleted until the entry changes.
    /// What exists is never changed by an entry, whoever made it. An entry that is left out keeps its mark, because
    /// another registrar on the same file may be started with it.
    func apply(_ entries: ConfiguredEndpoints, at now: Int64) async throws -> [ConfiguredResult] {
        var results: [ConfiguredResult] = []
        for entry in try await unsettled(entries) {
            if let result = try await apply(entry, at: now) { results.append(result) }
        }
        return results
    }

    /// Entries whose mark is missing or another: with all of them settled, nothing is written.
    private func unsettled(_ entries: ConfiguredEndpoints) async throws -> [ConfiguredEndpoints.Entry] {
        try await database.read { database in
            try entries.entries.filter { try Self.mark(of: $0.name, in: database) != $0.baseURL }
        }
    }

    private func apply(_ entry: ConfiguredEndpoints.Entry, at now: Int64) async throws -> ConfiguredResult? {
        try await transaction { database in
            guard try Self.mark(of: entry.name, in: database) != entry.baseURL else { return nil }
            let endpoints = EndpointTable(database: database)
            var result: ConfiguredResult?
            if let existing = try endpoints.record(named: entry.name) {
                if existing.baseURL != entry.baseURL {
                    result = .differs(name: entry.name, baseURL: existing.baseURL)
                }
            } else {
                if let other = try endpoints.record(baseURL: entry.baseURL) {
                    return .refused(name: entry.name, code: Rejection.baseURLTaken(by: other.name).error.code)
                }
                let draft = EndpointDraft(id: UUID().uuidString.lowercased(), name: entry.name, baseURL: entry.baseURL)
                let revision = try RegistryState.nextRevision(database)
                try Self.create(draft, revision: revision, at: now, in: endpoints)
                result = .created(name: entry.name)
            }
            try database.execute(
                sql: """
                    INSERT INTO configured_endpoints (name, base_url) VALUES (?, ?)
                    ON CONFLICT (name) DO UPDATE SET base_url = excluded.base_url
                    """, arguments: [entry.name, entry.baseURL])
            return result
        }
    }

    private static func mark(of name: String, in database: Database) throws -> String? {
        try String.fetchOne(
            database, sql: "SELECT base_url FROM configured_endpoints WHERE name = ?", arguments: [name])
    }
}
