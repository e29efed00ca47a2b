import Catalog
import Curl
import FoundationEssentials
import Hummingbird
import Logging

extension GatewayResponder {
    /// Composes the routes. `now` is milliseconds since 1970.
    init(
        catalog: any CatalogSource, sender: any CommandSender, access: AccessPolicy, keyRing: KeyRing?,
        limits: GatewayLimits = GatewayLimits(), inferenceLimits: InferenceLimits = InferenceLimits(),
        drain: Drain = Drain(),
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) },
        logger: Logger
    ) {
        let desk = CommandDesk(catalog: catalog, sender: sender, limits: limits, now: now)
        let models = ModelRoutes(catalog: catalog)
        self.init(
            access: AccessRules(access, catalog: catalog, now: now),
            models: models,
            endpoints: EndpointRoutes(
                catalog: catalog, sender: sender, desk: desk, keyRing: keyRing, limits: limits),
            registrations: RegistrationRoutes(catalog: catalog, desk: desk, keyRing: keyRing, limits: limits),
            operations: OperationRoutes(catalog: catalog),
            keys: KeyRoutes(catalog: catalog, desk: desk, keyRing: keyRing, limits: limits, now: now),
            health: HealthRoutes(catalog: catalog, sender: sender, drain: drain),
            inference: InferenceRoutes(
                catalog: catalog, dispatcher: Dispatcher(limits: inferenceLimits), client: HTTPClient(),
                suspects: SuspectReporter(sender: sender, confirm: limits.confirm, logger: logger), keyRing: keyRing,
                limits: inferenceLimits, models: models, drain: drain),
            drain: drain,
            logger: logger)
    }
}
