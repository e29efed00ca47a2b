/// Skeleton: the form that endpoints must have, checked by the gateway and again by the registrar.
public enum EndpointRules {
    /// Throws `invalid_name`.
    public static func checkName(_ name: String) throws(APIError) { fatalError() }
    /// http/https URL → without trailing slash, `/v1`, default port, query; host in lower case. Throws `invalid_base_url`
    /// (also for a user part, which belongs into `api_key`).
    public static func normalizedBaseURL(_ text: String) throws(APIError) -> String { fatalError() }
    /// 1–3600, else `invalid_poll_interval`.
    public static func checkPollInterval(_ seconds: Int) throws(APIError) { fatalError() }
    public static func checkMaxConcurrency(_ value: Int) throws(APIError) { fatalError() }
    public static func checkLabels(_ labels: [String: String]) throws(APIError) { fatalError() }
    /// Throws `unknown_kind`.
    public static func kind(_ text: String) throws(APIError) -> EndpointKind { fatalError() }
}
