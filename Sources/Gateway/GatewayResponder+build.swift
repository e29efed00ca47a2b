import Catalog
import FoundationEssentials
import Hummingbird
import Logging

extension GatewayResponder {
    /// Composes the routes. `now` is milliseconds since 1970.
    init(
        catalog: any CatalogSource, sender: any CommandSender, access: AccessRules, keyRing: KeyRing?,
        limits: GatewayLimits = GatewayLimits(),
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) },
        logger: Logger
    ) {
        let desk = CommandDesk(catalog: catalog, sender: sender, limits: limits, now: now)
        self.init(
            access: access,
            models: ModelRoutes(catalog: catalog),
            endpoints: EndpointRoutes(
                catalog: catalog, sender: sender, desk: desk, keyRing: keyRing, limits: limits),
            registrations: RegistrationRoutes(catalog: catalog, desk: desk, keyRing: keyRing, limits: limits),
            operations: OperationRoutes(catalog: catalog),
            health: HealthRoutes(catalog: catalog, sender: sender),
            logger: logger)
    }
}
