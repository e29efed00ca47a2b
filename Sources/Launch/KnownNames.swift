/// Names that a process does not read itself but that may well stand in an environment or a file it shares with others.
///
/// All processes of a deployment are commonly given the same environment file, so a name of another process is no
/// mistake. Only what no process knows is warned about.
enum KnownNames {
    /// Of the gateway, the poller, the registrar, the command line's client, and `scripts/run` together.
    static let ofAllProcesses: Set<String> = [
        "ROLLCALL_ACCESS_LOG",
        "ROLLCALL_ADMIN_KEY",
        "ROLLCALL_ADMIN_KEY_FILE",
        "ROLLCALL_ADOPT",
        "ROLLCALL_ALLOW_ANONYMOUS",
        "ROLLCALL_AMQP_CA_FILE",
        "ROLLCALL_AMQP_URL",
        "ROLLCALL_AMQP_URL_FILE",
        "ROLLCALL_ANONYMOUS_SCOPES",
        "ROLLCALL_API_KEY",
        "ROLLCALL_CORS_ORIGINS",
        "ROLLCALL_DATABASE_URL",
        "ROLLCALL_DRAIN_SECONDS",
        "ROLLCALL_ENDPOINTS",
        "ROLLCALL_ENDPOINT_CA_FILE",
        "ROLLCALL_FAILPOINT",
        "ROLLCALL_FIRST_BYTE_TIMEOUT",
        "ROLLCALL_HEALTH_PORT",
        "ROLLCALL_HOST",
        "ROLLCALL_HUB_REFRESH_INTERVAL",
        "ROLLCALL_IDLE_TIMEOUT",
        "ROLLCALL_INFERENCE_BODY_LIMIT",
        "ROLLCALL_INFERENCE_MEMORY",
        "ROLLCALL_KEYS_MAX_AGE",
        "ROLLCALL_NAMESPACE",
        "ROLLCALL_POLL_INTERVAL",
        "ROLLCALL_POLL_TIMEOUT",
        "ROLLCALL_POLLS_IN_FLIGHT",
        "ROLLCALL_PORT",
        "ROLLCALL_QUEUE_LIMIT",
        "ROLLCALL_QUEUE_TIMEOUT",
        "ROLLCALL_RUN_BIN",
        "ROLLCALL_SECRET_KEY",
        "ROLLCALL_SECRET_KEY_FILE",
        "ROLLCALL_TLS_CERT_FILE",
        "ROLLCALL_TLS_KEY_FILE",
        "ROLLCALL_URL",
        "ROLLCALL_VERIFY_TIMEOUT",
    ]
    /// Of the tests and of the simulator, which has its own prefix because it needs names like `…_PORT` too.
    static let prefixes = ["ROLLCALL_TEST_", "ROLLCALL_SIMULATOR_", "ROLLCALL_BENCH_"]

    /// Of the registrar; named as the Hugging Face libraries name them.
    static let withoutPrefix: Set<String> = ["HF_BASE_URL", "HF_ENDPOINT", "HF_TOKEN", "HF_TOKEN_FILE"]

    /// As they stand in a file of settings.
    static let fileKeys = Set(
        ofAllProcesses.map { $0.dropFirst(Setting.commonPrefix.count).lowercased() }
            + withoutPrefix.map { $0.lowercased() })

    /// Whether a name is likely to be meant for another process than the one with these settings. Below a prefix that a
    /// process has to itself it knows every name.
    static func isOthers(_ name: String, than known: [Setting]) -> Bool {
        ofAllProcesses.contains(name)
            || prefixes.contains { prefix in name.hasPrefix(prefix) && !known.contains { $0.prefix == prefix } }
    }
}
