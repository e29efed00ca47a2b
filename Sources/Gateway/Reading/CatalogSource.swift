import Catalog

/// What the routes read: the catalog as this gateway holds it now. `CatalogFollower` in the process, a plain
/// `Catalog` in tests.
protocol CatalogSource: Sendable {
    /// `/v1/models`, encoded; taken, never made, by this call.
    var modelList: ModelList { get }
    /// The part of the list that `patterns` match; made anew with each call.
    func modelList(of patterns: ModelPatterns) -> ModelListPart
    var readiness: Readiness { get }
    /// Since the catalog was last known to be current; nil when it never was.
    var age: Duration? { get }
    /// Reads under a lock: be quick.
    func read<T>(_ body: (borrowing Catalog) throws -> T) rethrows -> T
    /// Waits until `condition` gives a value, asked now and after each change; nil after `timeout` or at stop.
    func wait<T: Sendable>(
        timeout: Duration, until condition: @escaping @Sendable (borrowing Catalog) -> T?
    ) async -> T?
}

extension CatalogFollower: CatalogSource {}

extension CatalogSource {
    /// Throws 503 before the catalog has been complete once.
    func checkReady() throws(HTTPFailure) {
        let readiness = readiness
        guard readiness.isReady else { throw .catalogNotReady(readiness.reason) }
    }

    /// An endpoint by its id (in any case) or its name; the id wins where both would match.
    func endpoint(_ idOrName: String) -> EndpointView? {
        read { catalog in
            catalog.endpoint(id: idOrName.lowercased()) ?? catalog.endpoint(named: idOrName)
        }
    }
}
