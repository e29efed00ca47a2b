import Dispatch
import Glibc

/// The private RabbitMQ node whose folder is in `ROLLCALL_TEST_BROKER`, from its inside.
public enum BrokerControl {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Runs Erlang in the broker: whatever there is to do in one call, because each takes seconds.
    public static func evaluate(_ erlang: String) async throws {
        guard let folder = getenv("ROLLCALL_TEST_BROKER") else {
            throw Failure(description: "ROLLCALL_TEST_BROKER is not set")
        }
        let command = "scripts/broker ctl '\(String(cString: folder))' eval '\(erlang)' >/dev/null"
        let status = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: system(command)) }
        }
        guard status == 0 else { throw Failure(description: "\(command) ended with \(status)") }
    }

    public static func deleteQueues(withPrefix prefix: String) async throws {
        try await evaluate(
            """
            [rabbit_amqqueue:delete(Q, false, false, <<"test">>) || Q <- rabbit_amqqueue:list(), \
            string:prefix(element(4, amqqueue:get_name(Q)), <<"\(prefix)">>) =/= nomatch].
            """)
    }
}
