import Catalog
import Conventions
import Crypto

@testable import Gateway

/// API keys for the tests.
enum Keys {
    static let admin = "the-admin-key-of-this-test"
    static let draft = #"{"name":"laptop","scopes":["models"]}"#

    static func digest(_ key: String) -> String { SHA256.hash(data: Array(key.utf8)).hexadecimal }

    /// A key known to the catalog; its text is `rc_` and its id.
    static func made(
        _ id: String, scopes: [Scope], models: [String]? = nil, expiresAt: Int64? = nil, revision: Int64 = 50
    ) -> CatalogMessage {
        let record = KeyRecord(
            id: id, name: "key \(id)", digest: digest("rc_" + id), scopes: scopes, models: models, expiresAt: expiresAt,
            revision: revision, createdAt: 1_700_000_000)
        return .registryChanged(RegistryChange(record))
    }

    static func revoked(_ id: String, revision: Int64) -> CatalogMessage {
        .registryChanged(RegistryChange(tombstoneOf: .key, id: id, revision: revision))
    }

    static func bearer(_ id: String) -> [String: String] { ["Authorization": "Bearer rc_" + id] }

    /// One of each scope, one that has expired, one that was revoked.
    static let usual: [CatalogMessage] =
        Scope.allCases.map { made("only-\($0.rawValue)", scopes: [$0]) } + [
            made("expired", scopes: Scope.allCases, expiresAt: Bench.now / 1000),
            made("lasting", scopes: [.models], expiresAt: Bench.now / 1000 + 1),
            made("revoked", scopes: Scope.allCases), revoked("revoked", revision: 51),
        ]
}
