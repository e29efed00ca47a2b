import Catalog

/// The Hugging Face Hub, as the registrar's work needs it.
protocol HubSource: Sendable {
    /// The name under which `request` would be registered, as far as its text says; nil where it is not valid.
    func name(of request: RegistrationRequest) -> String?
    /// Asks the Hub all that a registration needs, and decides by the rules. `progress` is told each step.
    ///
    /// - Parameter now: milliseconds since 1970.
    func record(
        for request: RegistrationRequest, now: Int64, progress: @Sendable (String) async -> Void
    ) async throws(Rejection) -> RegistrationRecord
    /// What changes all the time, and the commit that `revision` names now.
    func live(repo: String, revision: String, now: Int64) async throws(Rejection) -> (info: HubInfo, commit: String)
}

/// When the Hub is asked again for what changes all the time.
struct HubSchedule: Sendable {
    /// The least time between two questions about one repository.
    var interval: Duration

    /// Milliseconds since 1970: later by up to a tenth of the interval by chance, so that what was registered at once
    /// is not asked for at once.
    func next(after now: Int64) -> Int64 {
        let milliseconds = interval.components.seconds * 1000
        return now + milliseconds + Int64.random(in: 0...max(1, milliseconds / 10))
    }
}

extension HubLookup: HubSource {
    func name(of request: RegistrationRequest) -> String? {
        do {
            return try RepositoryReference(request, hub: hub).name
        } catch {
            // Said when the registration is looked up.
            return nil
        }
    }
}
