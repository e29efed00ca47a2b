import Catalog

/// What the routes read: the catalog as this gateway holds it now. `CatalogFollower` in the process, a plain
/// `Catalog` in tests.
protocol CatalogSource: AnyObject, Sendable {
    /// The newest immutable state. Event loops read only this: it takes no lock that anything slow holds.
    var view: CatalogView { get }
    /// Reads under a lock that is also held while messages are applied. For tasks only, and be quick.
    func read<T>(_ body: (borrowing Catalog) throws -> T) rethrows -> T
    /// Waits until `condition` gives a value, asked now and after each change; nil after `timeout`, at stop, or if the
    /// task is cancelled.
    func wait<T: Sendable>(
        timeout: Duration, until condition: @escaping @Sendable (borrowing Catalog) -> T?
    ) async -> T?
}

extension CatalogFollower: CatalogSource {}

extension CatalogSource {
    /// Throws 503 before the catalog has been complete once.
    func checkReady() throws(HTTPFailure) { try view.checkReady() }

    /// An endpoint by its id (in any case) or its name; the id wins if both match.
    func endpoint(_ idOrName: String) -> EndpointView? { read { $0.endpoint(idOrName: idOrName) } }
}

extension CatalogView {
    /// Throws 503 before the catalog has been complete once.
    func checkReady() throws(HTTPFailure) {
        guard readiness.isReady else { throw .catalogNotReady(readiness.reason) }
    }
}

extension Catalog {
    func endpoint(idOrName: String) -> EndpointView? {
        endpoint(id: idOrName.lowercased()) ?? endpoint(named: idOrName)
    }
}
