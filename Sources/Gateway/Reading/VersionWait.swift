import Catalog
import HTTPTypes

/// `?min_version=V&wait=2s` of a read: answer once this gateway has applied that version.
struct VersionWait: Sendable {
    /// The longest that `wait` may ask for.
    static let longest = Duration.seconds(30)

    let version: CatalogVersion
    let timeout: Duration

    /// nil for a query that asks for no version. Throws 400 `invalid_query`, `invalid_wait`, `invalid_version`.
    init?(_ query: Query) throws(HTTPFailure) {
        timeout = try query.first("wait").map(Self.duration) ?? .zero
        guard let wanted = query.first("min_version") else { return nil }
        guard let version = CatalogVersion(wanted) else {
            throw .badRequest(
                "invalid_version", "min_version must be a version as X-Catalog-Version gives it, such as 1-4711.",
                param: "min_version")
        }
        self.version = version
    }

    /// A version of an incarnation lower than the one held counts as reached: that log is gone for good.
    func isReached(by version: CatalogVersion?) -> Bool { version.map { $0 >= self.version } ?? false }

    /// Throws 503 before the catalog is complete, and 504 `version_not_reached` after `timeout`.
    func end(in catalog: any CatalogSource) async throws(HTTPFailure) {
        try catalog.checkReady()
        if isReached(by: catalog.view.version) { return }
        let reached = await catalog.wait(timeout: timeout) { catalog in isReached(by: catalog.version) ? true : nil }
        if reached == nil {
            throw HTTPFailure(
                .gatewayTimeout, code: "version_not_reached",
                "This gateway has not applied that version within the time given in wait. Ask again, or wait longer (at most "
                    + "30s).", param: "min_version",
                headers: [.retryAfter: "1"])
        }
    }

    /// A whole number of `ms` or `s`, at most `longest`.
    private static func duration(_ text: String) throws(HTTPFailure) -> Duration {
        let isMilliseconds = text.hasSuffix("ms")
        let digits = text.dropLast(isMilliseconds ? 2 : 1)
        guard
            isMilliseconds || text.hasSuffix("s"), digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
            let number = Int64(digits), number <= 30_000
        else {
            throw invalidWait
        }
        let duration: Duration = isMilliseconds ? .milliseconds(number) : .seconds(number)
        guard duration <= longest else { throw invalidWait }
        return duration
    }

    private static var invalidWait: HTTPFailure {
        .badRequest(
            "invalid_wait", "wait must be a whole number of s or ms, such as 2s or 500ms, and at most 30s.",
            param: "wait")
    }
}
